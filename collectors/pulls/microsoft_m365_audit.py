"""Microsoft 365: the unified audit log by the Management Activity API.

Facts: Microsoft Learn, "Office 365 Management Activity API reference" and "troubleshooting": a subscription for each
content type must be started once (AF20024: it is started already); content is listed for at most 24 hours at a time
and 7 days back, by when it became available; NextPageUri in a header; records of one blob at contentUri; blobs are not
in order and a record can be delivered more than once; AF429 with 429 over the quota. The application needs
ActivityFeed.Read.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from collectors.pulls.api import Api
from collectors.pulls.microsoft import Application
from collectors.pulls.pull import ApiPull, Cursor, Page, Progress, Window, page, stamp
from hinomi.errors import Refused

_FEED = "/api/v1.0/{tenant}/activity/feed/subscriptions"
Content = Literal[
    "Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"
]
_COMMON: list[Content] = ["Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General"]


class Microsoft365Audit(Application, ApiPull):
    """`kind: microsoft_m365_audit`. content: which parts of the log."""

    kind: Literal["microsoft_m365_audit"]
    source: str = "microsoft.m365_audit"
    url: str = "https://manage.office.com"
    content: list[Content] = Field(default_factory=lambda: list(_COMMON), min_length=1)
    overlap: float = Field(default=60.0, ge=0, le=24 * 60)

    longest: ClassVar[timedelta] = timedelta(hours=24)
    scope: ClassVar[str] = "https://manage.office.com/.default"

    def reach(self) -> timedelta:
        """Seven days, less a little for the way there."""
        return timedelta(days=7) - timedelta(minutes=10)

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`."""
        progress = Progress(cursor)
        for content in self.content:
            await self._subscribe(api, content)
            for window in self.windows(progress.of(content), api.now()):
                async for records in self._blobs(api, content, window):
                    yield page(records, "Id", progress.marks)
                progress = progress.at(content, window.until)
                yield Page([], [], progress.marks)

    async def _subscribe(self, api: Api, content: str) -> None:
        feed = _FEED.format(tenant=self.tenant)
        answer = await api.ask(
            "POST", f"{feed}/start", params={"contentType": content}, accept=frozenset({400})
        )
        if answer.status_code == 400 and "AF20024" not in answer.text:
            raise Refused(
                f"{content} の購読を始められません。監査ログが有効かを確かめてください。",
                f"the subscription to {content} cannot be started; check that auditing is on",
            )

    async def _blobs(self, api: Api, content: str, window: Window) -> AsyncIterator[list[dict[str, Any]]]:
        target = f"{_FEED.format(tenant=self.tenant)}/content"
        params: dict[str, str] | None = {
            "contentType": content,
            "startTime": _plain(window.start),
            "endTime": _plain(window.end),
        }
        while target:
            listed = await api.get(target, params)
            for blob in listed.json():
                yield (await api.get(str(blob["contentUri"]))).json()
            target, params = listed.headers.get("nextpageuri", ""), None


def _plain(time: datetime) -> str:
    """Without a zone, which this service takes for UTC."""
    return stamp(time).removesuffix("Z")
