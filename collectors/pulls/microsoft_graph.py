"""Microsoft Graph: Entra ID sign-ins and directory audits, and security alerts.

Facts: Microsoft Learn, "List signIns", "List directoryAudits", "List alerts_v2", "Paging Microsoft Graph data",
"Microsoft Graph throttling guidance": a filter by time, @odata.nextLink, 429 with Retry-After. Sign-ins can appear
many minutes after they happened ("latency"), which the overlap covers. The application needs AuditLog.Read.All and,
for alerts, SecurityAlert.Read.All.
"""

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from collectors.pulls.api import Api
from collectors.pulls.microsoft import Application
from collectors.pulls.pull import ApiPull, Cursor, Page, Progress, Window, page, stamp

Log = Literal["signIns", "directoryAudits", "alerts_v2"]
_COMMON: list[Log] = ["signIns", "directoryAudits"]
_PATH: dict[str, tuple[str, str]] = {
    "signIns": ("/v1.0/auditLogs/signIns", "createdDateTime"),
    "directoryAudits": ("/v1.0/auditLogs/directoryAudits", "activityDateTime"),
    "alerts_v2": ("/v1.0/security/alerts_v2", "lastUpdateDateTime"),
}


class MicrosoftGraph(Application, ApiPull):
    """`kind: microsoft_graph`. logs: which of signIns, directoryAudits, alerts_v2."""

    kind: Literal["microsoft_graph"]
    source: str = "microsoft.entra_graph"
    url: str = "https://graph.microsoft.com"
    logs: list[Log] = Field(default_factory=lambda: list(_COMMON), min_length=1)
    overlap: float = Field(default=60.0, ge=0, le=7 * 24 * 60)

    scope: ClassVar[str] = "https://graph.microsoft.com/.default"

    def sources(self) -> set[str]:
        """See `Pull.sources`."""
        return {_SOURCES[log] for log in self.logs if log in _SOURCES}

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`."""
        progress = Progress(cursor)
        for log in self.logs:
            for window in self.windows(progress.of(log), api.now()):
                async for records in _records(api, log, window):
                    yield page(records, _KEYS.get(log), progress.marks, _SOURCES.get(log, ""))
                progress = progress.at(log, window.until)
                yield Page([], [], progress.marks)


_KEYS = {"signIns": "id", "directoryAudits": "id"}
"""An alert changes under one id: each state of it is a record of its own, known by its whole content."""
_SOURCES = {"alerts_v2": "microsoft.defender_xdr"}
"""What other records than Entra ID's are read by."""


async def _records(api: Api, log: str, window: Window) -> AsyncIterator[list[dict[str, Any]]]:
    path, time = _PATH[log]
    start, end = (stamp(one, parts="milliseconds") for one in (window.start, window.end))
    target = path
    params: dict[str, str] | None = {"$filter": f"{time} ge {start} and {time} lt {end}", "$orderby": time}
    while target:
        body = (await api.get(target, params)).json()
        yield body.get("value", [])
        target, params = str(body.get("@odata.nextLink", "")), None
