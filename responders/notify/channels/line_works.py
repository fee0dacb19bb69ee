"""LINE WORKS: a bot's message to a person or a talk room.

Facts: LINE WORKS Developers, "Service Account authentication (JWT)": RS256 assertion {iss: client id, sub: service account,
iat, exp} posted to https://auth.worksmobile.com/oauth2/v2.0/token with grant_type
urn:ietf:params:oauth:grant-type:jwt-bearer and scope bot; "Message Send – User": POST
/v1.0/bots/{botId}/users/{userId}/messages {content: {type: text, text}}, answered 201, text up to 2,000 characters. So many
calls a minute (240 with a paid plan, 60 without), then 429 TOO_MANY_REQUESTS for a minute at most: the outbox tries again. `<m
userId="…">` in a text calls people ("all" everybody): no log line's text may do so.
"""

import base64
import time
from typing import Literal
from urllib.parse import quote

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from hinomi.config import Section
from hinomi.errors import ConfigError, DependencyDown
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.notify.posting import post
from responders.oncall.settings import Contact

_LONGEST = 1990
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class LineWorks(Section):
    """A bot of the city's own LINE WORKS domain. channel_id: a talk room; without one, the person's `line_works` id."""

    kind: Literal["line_works"]
    bot_id: str
    client_id: str
    client_secret: Secret
    service_account: str
    private_key: Secret
    channel_id: str = ""
    url: str = "https://www.worksapis.com"
    token_url: str = "https://auth.worksmobile.com/oauth2/v2.0/token"  # noqa: S105  (an address)
    inside: bool = False


def send(settings: LineWorks, contact: Contact, message: Message, key: str) -> None:
    """Sign in as the service account, then send the text."""
    text = _calls_nobody(f"{message.subject}\n{message.text}")
    body = {"content": {"type": "text", "text": text[:_LONGEST]}}
    whom = (
        f"channels/{settings.channel_id}"
        if settings.channel_id
        else f"users/{quote(_id(contact), safe='@.')}"
    )
    post(
        f"{settings.url}/v1.0/bots/{quote(settings.bot_id)}/{whom}/messages",
        what="LINE WORKS",
        json=body,
        headers={"Authorization": f"Bearer {_token(settings)}"},
    )


def _calls_nobody(text: str) -> str:
    """Each `<` as the wide one, which the service takes for a letter."""
    return text.replace("<", "\uff1c")


def _id(contact: Contact) -> str:
    if not contact.line_works:
        raise DependencyDown("LINE WORKS の利用者 ID がありません。", "the contact has no LINE WORKS id")
    return contact.line_works


def _token(settings: LineWorks) -> str:
    form = {
        "assertion": _assertion(settings),
        "grant_type": _GRANT,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.reveal(),
        "scope": "bot",
    }
    answer = post(settings.token_url, what="LINE WORKS", form=form)
    try:
        return str(answer.json()["access_token"])
    except (ValueError, KeyError):
        raise DependencyDown("LINE WORKS の応答を読めません。", "LINE WORKS answered no token") from None


def _assertion(settings: LineWorks) -> str:
    now = int(time.time())
    claims = {"iss": settings.client_id, "sub": settings.service_account, "iat": now, "exp": now + 600}
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    try:
        key = serialization.load_pem_private_key(settings.private_key.reveal().encode(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError(
            "LINE WORKS の秘密鍵(RSA、PEM)を読めません。", "the private key is no RSA key in PEM"
        )
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_text(signature)}"


def _part(value: object) -> str:
    return _text(orjson.dumps(value))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


KIND = ChannelKind("line_works", LineWorks, send)
