"""Microsoft Graph: Entra ID sign-ins and directory audits, and security alerts.

Facts: Microsoft Learn, "List signIns", "List directoryAudits", "List alerts_v2", "Paging Microsoft Graph data",
"Microsoft Graph throttling guidance": a filter by time, @odata.nextLink, 429 with Retry-After; alerts take no $orderby.
Without a filter by signInEventTypes only interactive sign-ins are returned (seen in an excerpt of Microsoft's pages, of the
beta). Sign-ins can appear many minutes after they happened ("latency"), which the overlap covers. The application
needs AuditLog.Read.All and, for alerts, SecurityAlert.Read.All; that sign-ins need a licence of Entra ID P1 is said by users of
the API (Microsoft-Extractor-Suite, issue 202), not by a page that we opened.
"""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from collectors.pulls.answers import body, records
from collectors.pulls.api import Api
from collectors.pulls.microsoft import Application
from collectors.pulls.pull import Page, Window, page, stamp
from collectors.pulls.streams import StreamPull

Log = Literal[
    "signIns", "directoryAudits", "alerts_v2", "nonInteractiveUser", "servicePrincipal", "managedIdentity"
]
_COMMON: list[Log] = ["signIns", "directoryAudits"]
_PATH: dict[str, tuple[str, str]] = {
    "signIns": ("/v1.0/auditLogs/signIns", "createdDateTime"),
    "directoryAudits": ("/v1.0/auditLogs/directoryAudits", "activityDateTime"),
    "alerts_v2": ("/v1.0/security/alerts_v2", "lastUpdateDateTime"),
    "nonInteractiveUser": ("/beta/auditLogs/signIns", "createdDateTime"),
    "servicePrincipal": ("/beta/auditLogs/signIns", "createdDateTime"),
    "managedIdentity": ("/beta/auditLogs/signIns", "createdDateTime"),
}
_TYPED = frozenset({"nonInteractiveUser", "servicePrincipal", "managedIdentity"})
"""Types of sign-ins that come only where they are asked for."""


class MicrosoftGraph(Application, StreamPull):
    """`kind: microsoft_graph`. logs: signIns are those of people who were asked for something; those of
    programs on their behalf (nonInteractiveUser), applications (servicePrincipal) and managed identities are asked of
    Graph's beta, which Microsoft does not support for production."""

    kind: Literal["microsoft_graph"]
    source: str = "microsoft.entra_graph"
    url: str = "https://graph.microsoft.com"
    logs: list[Log] = Field(default_factory=lambda: list(_COMMON), min_length=1)
    overlap: float = Field(default=60.0, ge=0, le=7 * 24 * 60)

    scope: ClassVar[str] = "https://graph.microsoft.com/.default"

    def sources(self) -> set[str]:
        """See `Pull.sources`."""
        return {_SOURCES[log] for log in self.logs if log in _SOURCES}

    def streams(self) -> Sequence[str]:
        """See `StreamPull.streams`."""
        return self.logs

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`. No order is asked for: alerts know none."""
        target, time = _PATH[stream]
        start, end = (stamp(one, parts="milliseconds") for one in (window.start, window.end))
        typed = f" and signInEventTypes/any(t: t eq '{stream}')" if stream in _TYPED else ""
        params: dict[str, str] | None = {"$filter": f"{time} ge {start} and {time} lt {end}{typed}"}
        while target:
            answer = await api.get(target, params)
            yield page(
                records(answer, "value"), None if stream in _NO_KEY else "id", source=_SOURCES.get(stream, "")
            )
            target, params = str(body(answer).get("@odata.nextLink", "")), None


_NO_KEY = frozenset({"alerts_v2"})
"""An alert changes under one id: each state of it is a record of its own, known by its whole content."""
_SOURCES = {"alerts_v2": "microsoft.defender_xdr"}
"""What other records than Entra ID's are read by."""
