"""GitHub: an organisation's audit log.

Facts: GitHub Docs, "Get the audit log for an organization" (include=all, order=asc, phrase created:>=…, per_page at
most 100, the next page in a Link header), "Rate limits" (403 or 429 with x-ratelimit-remaining: 0 and
x-ratelimit-reset, or retry-after). Events are known by `_document_id`. Needs a token with read:audit_log.
"""

from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from collectors.pulls.answers import records
from collectors.pulls.api import Api
from collectors.pulls.pull import Page, Window, page, stamp
from collectors.pulls.signin import FixedToken, SignIn
from collectors.pulls.streams import StreamPull
from hinomi.secret import Secret

_STREAM = "audit_log"


class GitHubAudit(StreamPull):
    """`kind: github_audit`."""

    kind: Literal["github_audit"]
    source: str = "github.audit"
    url: str = "https://api.github.com"
    organization: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    token: Secret

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return FixedToken(self.token)

    def streams(self) -> list[str]:
        """See `StreamPull.streams`."""
        return [_STREAM]

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        target = f"/orgs/{self.organization}/audit-log"
        params: dict[str, str] | None = {
            "phrase": f"created:{stamp(window.start)}..{stamp(window.end)}",
            "include": "all",
            "order": "asc",
            "per_page": "100",
        }
        while target:
            answer = await api.get(target, params)
            yield page(records(answer), "_document_id")
            target, params = str(answer.links.get("next", {}).get("url", "")), None
