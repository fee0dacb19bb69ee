"""Links that acknowledge without signing in: signed, for one incident and one person, used once, short-lived.

GET shows a page, POST acknowledges: a mail scanner that fetches links triggers nothing.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hinomi.errors import Refused

LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom the link lets acknowledge what, until when; `nonce` is recorded when used."""

    incident_id: str
    person: str
    expires: datetime
    nonce: str


class LinkRefused(Refused):
    """A token that is `forged` (or damaged) or `expired`; of an expired one we know whom it was for."""

    def __init__(self, why: str, ticket: Ticket | None = None) -> None:
        super().__init__(
            "このリンクは使えません(期限切れ、または正しくありません)。", "this link is expired or not valid"
        )
        self.why, self.ticket = why, ticket


def make(key: bytes, incident_id: str, person: str, now: datetime, nonce: str) -> str:
    """The token of a link."""
    expires = int((now + LIFE).timestamp())
    body = "|".join((incident_id, person, str(expires), nonce)).encode()
    return f"{_encode(body)}.{_encode(_sign(key, body))}"


def verify(key: bytes, token: str, now: datetime) -> Ticket:
    """The ticket of a token. Raises Refused when it is forged, damaged or too old."""
    try:
        body_text, signature = token.split(".")
        body = _decode(body_text)
        given = _decode(signature)
    except ValueError:
        raise LinkRefused("forged") from None
    if not hmac.compare_digest(given, _sign(key, body)):
        raise LinkRefused("forged")
    incident_id, person, expires, nonce = body.decode().split("|")
    ticket = Ticket(incident_id, person, datetime.fromtimestamp(int(expires), UTC), nonce)
    if now >= ticket.expires:
        raise LinkRefused("expired", ticket)
    return ticket


def _sign(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, b"hinomi-ack\0" + body, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
