"""Slack (Enterprise Grid): the audit log.

Facts: Slack API, "Audit Logs API": GET /audit/v1/logs with oldest and latest (seconds since 1970), limit at most
9,999, response_metadata.next_cursor; newest first; entries are known by `id`; 429 with Retry-After. The token is of
a user and needs auditlogs:read.
"""

from collections.abc import AsyncIterator
from typing import Literal

from collectors.pulls.api import Api
from collectors.pulls.pull import ApiPull, Cursor, Page, Progress, page
from collectors.pulls.signin import FixedToken, SignIn
from hinomi.secret import Secret

_STREAM = "audit"


class SlackAudit(ApiPull):
    """`kind: slack_audit`."""

    kind: Literal["slack_audit"]
    source: str = "slack.audit"
    url: str = "https://api.slack.com"
    token: Secret

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return FixedToken(self.token)

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`."""
        progress = Progress(cursor)
        for window in self.windows(progress.of(_STREAM), api.now()):
            span = {"oldest": str(int(window.start.timestamp())), "latest": str(int(window.end.timestamp()))}
            params = {**span, "limit": "1000"}
            while params:
                body = (await api.get("/audit/v1/logs", params)).json()
                yield page(body.get("entries", []), "id", progress.marks)
                follows = body.get("response_metadata", {}).get("next_cursor")
                params = {**params, "cursor": str(follows)} if follows else {}
            progress = progress.at(_STREAM, window.until)
            yield Page([], [], progress.marks)
