"""Box: the enterprise's events.

Facts: Box Developer, "Get events" (stream_type=admin_logs_streaming, stream_position, limit at most 500,
next_stream_position; two weeks of events; an event can come more than once and is known by event_id) and
"Client Credentials Grant" (box_subject_type=enterprise). 429 with Retry-After.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from collectors.pulls.answers import body, records
from collectors.pulls.api import Api
from collectors.pulls.findings import Finding
from collectors.pulls.pull import ApiPull, Cursor, Page, page
from collectors.pulls.signin import ClientCredentials, OAuth, SignIn
from hinomi.secret import Secret

_STREAM = "admin_logs_streaming"
_KEPT = timedelta(days=14)


class BoxEvents(ApiPull):
    """`kind: box_events`. enterprise: its number. The first round begins with the oldest event that Box still has."""

    kind: Literal["box_events"]
    source: str = "box.events"
    url: str = "https://api.box.com"
    token_url: str = "https://api.box.com/oauth2/token"  # noqa: S105  # an address
    enterprise: str = Field(pattern=r"^\d+$")
    client_id: str
    client_secret: Secret

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        subject = {"box_subject_type": "enterprise", "box_subject_id": self.enterprise}
        return OAuth(self.token_url, ClientCredentials(self.client_id, self.client_secret, subject))

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`."""
        position, before = str(cursor.get("position", "0")), str(cursor.get("at", ""))
        now = api.now()
        if before and datetime.fromisoformat(before) < now - _KEPT:
            oldest = (now - _KEPT).isoformat(timespec="seconds")
            lost = Finding("time_not_kept", _STREAM, before, before, oldest)
            yield Page([], [], cursor, findings=(lost,))
        while True:
            params = {"stream_type": _STREAM, "stream_position": position, "limit": "500"}
            answer = await api.get("/2.0/events", params)
            found, after = records(answer, "entries"), str(body(answer)["next_stream_position"])
            yield replace(page(found, "event_id"), cursor={"position": after, "at": now.isoformat()})
            if not found or after == position:
                return
            position = after
