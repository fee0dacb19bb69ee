"""Okta: the System Log.

Facts: Okta developer documentation, "System Log API" and "Rate limits": since/until, sortOrder ASCENDING, limit at
most 1,000, the next page in a Link header with rel="next"; events may become searchable late; 429 with
X-Rate-Limit-Reset (seconds since 1970). The token is of the form `SSWS …` and needs a read-only administrator.
"""

from collections.abc import AsyncIterator
from typing import Literal

from collectors.pulls.answers import records
from collectors.pulls.api import Api
from collectors.pulls.pull import Page, Window, page, stamp
from collectors.pulls.signin import FixedToken, SignIn
from collectors.pulls.streams import StreamPull
from hinomi.secret import Secret

_STREAM = "system_log"


class OktaSystemLog(StreamPull):
    """`kind: okta_system_log`. url: of the organisation, such as https://city.okta.com."""

    kind: Literal["okta_system_log"]
    source: str = "okta.system_log"
    token: Secret

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return FixedToken(self.token, "SSWS")

    def streams(self) -> list[str]:
        """See `StreamPull.streams`."""
        return [_STREAM]

    async def ask(self, api: Api, stream: str, window: Window) -> AsyncIterator[Page]:
        """See `StreamPull.ask`."""
        start, end = (stamp(one, parts="milliseconds") for one in (window.start, window.end))
        target = "/api/v1/logs"
        params: dict[str, str] | None = {
            "since": start,
            "until": end,
            "sortOrder": "ASCENDING",
            "limit": "1000",
        }
        while target:
            answer = await api.get(target, params)
            found = records(answer)
            yield page(found, "uuid")
            # with `until`, the last page has no next link; an empty page ends it all the same
            target = str(answer.links.get("next", {}).get("url", "")) if found else ""
            params = None
