"""Zoom: operation logs of administrators, and sign-ins and sign-outs of members.

Facts: Zoom Developer, "Get operation logs report" (/v2/report/operationlogs) and "Get sign in / sign out activity
report" (/v2/report/activities): from and to are days (UTC), at most one month, page_size at most 300,
next_page_token; records have no identity of their own, so each is known by its content and its order among equal ones:
a day is asked for whole. "Server-to-Server OAuth":
grant_type=account_credentials, account_id, HTTP basic authentication. 429 with Retry-After where a daily limit is spent.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from collectors.pulls.answers import body, records
from collectors.pulls.api import Api
from collectors.pulls.pull import Page, Window, page
from collectors.pulls.signin import ClientCredentials, OAuth, SignIn
from collectors.pulls.streams import StreamPull
from hinomi.secret import Secret

_REPORTS = {"operationlogs": "operation_logs", "activities": "activity_logs"}


class ZoomReports(StreamPull):
    """`kind: zoom_reports`."""

    kind: Literal["zoom_reports"]
    source: str = "zoom.activity"
    url: str = "https://api.zoom.us"
    token_url: str = "https://zoom.us/oauth/token"  # noqa: S105  # an address
    account: str
    client_id: str
    client_secret: Secret
    every: float = Field(default=300.0, ge=60)
    overlap: float = Field(default=120.0, ge=0, le=24 * 60)

    longest: ClassVar[timedelta] = timedelta(days=7)

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        form = ClientCredentials(
            self.client_id,
            self.client_secret,
            {"account_id": self.account},
            grant="account_credentials",
            in_header=True,
        )
        return OAuth(self.token_url, form)

    def streams(self) -> list[str]:
        """See `StreamPull.streams`."""
        return list(_REPORTS)

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        span = {"from": window.start.date().isoformat(), "to": window.end.date().isoformat()}
        params = {**span, "page_size": "300"}
        twins = Counter[bytes]()
        while params:
            answer = await api.get(f"/v2/report/{stream}", params)
            yield page(records(answer, _REPORTS[stream]), None, twins=twins)
            follows = body(answer).get("next_page_token")
            params = {**params, "next_page_token": str(follows)} if follows else {}
