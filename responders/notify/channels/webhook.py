"""JSON to a web address, signed with HMAC-SHA256 so that the receiver knows it is us."""

import hashlib
import hmac
from typing import Literal

import httpx
import orjson

from hinomi import pauses
from hinomi.config import Section
from hinomi.errors import DependencyDown
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.oncall.settings import Contact

_TIMEOUT = 15.0


class Webhook(Section):
    """JSON to an address, signed: X-Hinomi-Signature: sha256=HMAC(key, body). Whom it is for is said inside the city's network
    only."""

    kind: Literal["webhook"]
    url: Secret
    key: Secret | None = None
    inside: bool = False


def send(settings: Webhook, contact: Contact, message: Message, key: str) -> None:
    """POST the message. The header Idempotency-Key lets the receiver drop a second copy."""
    said = {"id": key, "subject": message.subject, "text": message.text}
    body = orjson.dumps(said | ({"to": contact.name_ja} if settings.inside else {}))
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if settings.key is not None:
        signature = hmac.new(settings.key.reveal().encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hinomi-Signature"] = f"sha256={signature}"
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
            client.post(settings.url.reveal(), content=body, headers=headers).raise_for_status()
    except httpx.HTTPStatusError as error:
        raise DependencyDown(
            f"送信先が {error.response.status_code} を返しました。",
            f"the webhook answered {error.response.status_code}",
            after=pauses.asked(error.response.headers.get("retry-after")),
        ) from None
    except httpx.HTTPError as error:
        raise DependencyDown(
            f"送信先に届きません({type(error).__name__})。",
            f"the webhook cannot be reached: {type(error).__name__}",
        ) from None  # the address holds a secret: not in the text


KIND = ChannelKind("webhook", Webhook, send)
