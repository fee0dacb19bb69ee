"""Microsoft 365: the unified audit log by the Management Activity API.

Facts: Microsoft Learn, "Office 365 Management Activity API reference" and "troubleshooting": a subscription for each
content type must be started once (AF20024: it is started already); content is listed for at most 24 hours at a time
and 7 days back, by when it became available; NextPageUri in a header; records of one blob at contentUri; blobs are not
in order and a record can be delivered more than once; AF429 with 429 over the quota; AF20050 and AF20051 for content
that is not there or has expired. The application needs ActivityFeed.Read.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field

from collectors.pulls.answers import records
from collectors.pulls.api import Api, refused
from collectors.pulls.findings import Finding
from collectors.pulls.microsoft import Application
from collectors.pulls.pull import Page, Window, page, stamp
from collectors.pulls.streams import StreamPull
from hinomi.errors import Refused

_NO_BLOB = frozenset({400, 404, 410})
_GONE = re.compile("AF2005[01]")
"""It does not exist, it has expired: without one of these a 400 or 404 may be a proxy's word, not the service's, and so may a 410
with a page for people."""
_FEED = "/api/v1.0/{tenant}/activity/feed/subscriptions"
Content = Literal[
    "Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"
]
_COMMON: list[Content] = ["Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General"]


class Microsoft365Audit(Application, StreamPull):
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

    def streams(self) -> Sequence[str]:
        """See `StreamPull.streams`."""
        return self.content

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        feed = _FEED.format(tenant=self.tenant)
        await _subscribe(api, feed, stream)
        target = f"{feed}/content"
        params: dict[str, str] | None = {
            "contentType": stream,
            "startTime": _plain(window.start),
            "endTime": _plain(window.end),
        }
        while target:
            listed = await api.get(target, params)
            for blob in records(listed):
                yield await self._blob(api, stream, blob)
            target, params = listed.headers.get("nextpageuri", ""), None

    async def _blob(self, api: Api, stream: str, blob: Mapping[str, Any]) -> Page:
        """The records of one blob; that it is gone, where the service does not have it any more."""
        answer = await api.ask("GET", str(blob["contentUri"]), accept=_NO_BLOB)
        if answer.is_success:
            return page(records(answer), "Id")
        if _of_a_proxy(answer) or (answer.status_code != 410 and not _GONE.search(answer.text)):
            raise refused(answer)
        gone = Finding("content_gone", stream, str(blob.get("contentId") or blob["contentUri"]))
        return Page([], [], {}, findings=(gone,))


def _of_a_proxy(answer: httpx.Response) -> bool:
    """Whether a page for people says it: the service writes JSON, or nothing."""
    return "html" in answer.headers.get("content-type", "").lower()


async def _subscribe(api: Api, feed: str, content: str) -> None:
    answer = await api.ask("POST", f"{feed}/start", params={"contentType": content}, accept=frozenset({400}))
    if answer.status_code == 400 and "AF20024" not in answer.text:
        raise Refused(
            f"{content} の購読を始められません。監査ログが有効かを確かめてください。",
            f"the subscription to {content} cannot be started; check that auditing is on",
        )


def _plain(time: datetime) -> str:
    """Without a zone, which this service takes for UTC."""
    return stamp(time).removesuffix("Z")
