"""Slack (Enterprise Grid): the audit log.

Facts: Slack API, "Audit Logs API": GET /audit/v1/logs with oldest and latest (seconds since 1970), limit at most
9,999, response_metadata.next_cursor; newest first; entries are known by `id`; 429 with Retry-After. The token is of
a user and needs auditlogs:read.
"""

from collections.abc import AsyncIterator
from typing import Literal

from collectors.pulls.answers import body, records
from collectors.pulls.api import Api
from collectors.pulls.pull import Page, Window, page
from collectors.pulls.signin import FixedToken, SignIn
from collectors.pulls.streams import StreamPull
from hinomi.secret import Secret

_STREAM = "audit"


class SlackAudit(StreamPull):
    """`kind: slack_audit`."""

    kind: Literal["slack_audit"]
    source: str = "slack.audit"
    url: str = "https://api.slack.com"
    token: Secret

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return FixedToken(self.token)

    def streams(self) -> list[str]:
        """See `StreamPull.streams`."""
        return [_STREAM]

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        span = {"oldest": str(int(window.start.timestamp())), "latest": str(int(window.end.timestamp()))}
        params = {**span, "limit": "1000"}
        while params:
            answer = await api.get("/audit/v1/logs", params)
            yield page(records(answer, "entries"), "id")
            follows = (body(answer).get("response_metadata") or {}).get("next_cursor")
            params = {**params, "cursor": str(follows)} if follows else {}
