"""Google Cloud: log entries that a sink puts on a Pub/Sub subscription (Cloud Audit Logs and others).

Facts: Google Cloud, "Pub/Sub REST: subscriptions.pull, subscriptions.acknowledge": pull gives receivedMessages with
ackId and message {data in base64, messageId, publishTime}; what is not acknowledged in time comes again; delivery is at
least once. Messages are acknowledged only when they are spooled. Needs roles/pubsub.subscriber on that subscription.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from pydantic import Field

from collectors.pulls.api import Api
from collectors.pulls.pull import ApiPull, Cursor, Page
from collectors.pulls.signin import OAuth, ServiceAccount, SignIn
from hinomi.secret import Secret

_SCOPE = "https://www.googleapis.com/auth/pubsub"


class GooglePubSub(ApiPull):
    """`kind: google_pubsub`. subscription: projects/…/subscriptions/…; key: a service account's JSON key file."""

    kind: Literal["google_pubsub"]
    source: str = "google.cloud_audit"
    url: str = "https://pubsub.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
    key: Secret
    subscription: str = Field(pattern=r"^projects/[A-Za-z0-9:.-]+/subscriptions/[A-Za-z0-9._~%+-]+$")
    every: float = Field(default=5.0, ge=1)

    def sign_in(self) -> SignIn:
        """See `Pull.sign_in`."""
        return OAuth(self.token_url, ServiceAccount(self.key, _SCOPE))

    async def pages(self, api: Api, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.pages`. What stands after the yield runs when the messages are spooled."""
        while True:
            answer = await api.ask("POST", f"/v1/{self.subscription}:pull", body={"maxMessages": 1000})
            received = answer.json().get("receivedMessages", [])
            if not received:
                return
            messages = [one["message"] for one in received]
            yield Page(list(map(_payload, messages)), [str(one["messageId"]) for one in messages], cursor)
            done = {"ackIds": [one["ackId"] for one in received]}
            await api.ask("POST", f"/v1/{self.subscription}:acknowledge", body=done)


def _payload(message: Mapping[str, Any]) -> bytes:
    """The entry on one line; what is no base64 is kept as it came."""
    data = str(message.get("data", ""))
    try:
        return base64.b64decode(data, validate=True).replace(b"\r", b"").replace(b"\n", b" ")
    except binascii.Error:
        return data.encode()
