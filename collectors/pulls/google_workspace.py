"""Google Workspace: audit activities by the Admin SDK's Reports API.

Facts: Google, "Reports API: Activities: list" (startTime, endTime, maxResults at most 1,000, nextPageToken, newest
first), "Data retention and lag times" (most activities appear within minutes, some after hours: the overlap covers
six hours by default), "Limits and quotas" (403 or 429 with rateLimitExceeded, userRateLimitExceeded, quotaExceeded).
An activity is known by its time, application and uniqueQualifier. A service account with domain-wide delegation of
admin.reports.audit.readonly asks on behalf of an administrator.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from pydantic import Field

from collectors.pulls.answers import body, records
from collectors.pulls.api import Api
from collectors.pulls.pull import Page, Window, as_json, stamp
from collectors.pulls.signin import OAuth, ServiceAccount, SignIn
from collectors.pulls.streams import StreamPull
from hinomi.identity import digest
from hinomi.secret import Secret

_SCOPE = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
_KIND = "admin#reports#activities"
"""Names an answer that is one, also where it holds no `items`."""
_COMMON = ["login", "admin", "drive", "token", "user_accounts", "groups"]


class GoogleWorkspace(StreamPull):
    """`kind: google_workspace`. key: the service account's JSON key file; administrator: on whose behalf it asks;
    applications: names as the Reports API has them."""

    kind: Literal["google_workspace"]
    source: str = "google.workspace"
    url: str = "https://admin.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
    key: Secret
    administrator: str
    applications: list[str] = Field(default_factory=lambda: list(_COMMON), min_length=1)
    overlap: float = Field(default=360.0, ge=0, le=7 * 24 * 60)

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return OAuth(self.token_url, ServiceAccount(self.key, _SCOPE, self.administrator))

    def streams(self) -> list[str]:
        """See `StreamPull.streams`."""
        return self.applications

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        path = f"/admin/reports/v1/activity/users/all/applications/{stream}"
        start, end = (stamp(one, parts="milliseconds") for one in (window.start, window.end))
        params = {"startTime": start, "endTime": end, "maxResults": "1000"}
        while True:
            answer = await api.get(path, params)
            said = body(answer)
            nothing = "items" not in said and said.get("kind") == _KIND
            found = [] if nothing else records(answer, "items")
            yield Page([as_json(one) for one in found], list(map(_identity, found)), {})
            if not said.get("nextPageToken"):
                return
            params = {**params, "pageToken": str(said["nextPageToken"])}


def _identity(record: Mapping[str, Any]) -> str:
    known = record.get("id")
    if not isinstance(known, dict) or "uniqueQualifier" not in known:
        return digest(as_json(record).decode())
    return f"{known.get('applicationName')}/{known.get('time')}/{known['uniqueQualifier']}"
