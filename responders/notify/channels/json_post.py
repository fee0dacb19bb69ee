"""Any service that takes JSON of its own shape: LoGoチャット's incoming webhooks, Chatwork-like services, a city's own.

The shape is configuration, because such services say it on pages of their own administrators and change it: `body` is the
JSON to send, in whose texts {subject}, {text}, {link}, {ack} and {id} are replaced.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.notify.posting import post
from responders.oncall.settings import Contact


class JsonPost(Section):
    """url and header values are secrets; body: the JSON, `{"text": "{subject}\\n{text}"}` where nothing is said."""

    kind: Literal["json"]
    url: Secret
    name: str = "チャット"
    body: dict[str, Any] = Field(default_factory=lambda: {"text": "{subject}\n{text}"})
    headers: dict[str, Secret] = Field(default_factory=dict)
    inside: bool = False


def send(settings: JsonPost, contact: Contact, message: Message, key: str) -> None:
    """POST the body with the message in its texts."""
    values = {
        "{subject}": message.subject,
        "{text}": message.text,
        "{link}": message.link,
        "{ack}": message.ack,
        "{id}": key,
    }
    headers = {name: secret.reveal() for name, secret in settings.headers.items()}
    post(
        settings.url.reveal(),
        what=settings.name,
        json=_filled(settings.body, values),
        headers={"Idempotency-Key": key, **headers},
    )


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Each placeholder once, so that a placeholder inside a log line stays what it is."""
    if isinstance(value, dict):
        return {name: _filled(part, values) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, values) for part in value]
    if not isinstance(value, str):
        return value
    parts: list[str] = []
    while value:
        found = [(value.find(name), name) for name in values if name in value]
        if not found:
            return "".join([*parts, value])
        at, name = min(found)
        parts += [value[:at], values[name]]
        value = value[at + len(name) :]
    return "".join(parts)


KIND = ChannelKind("json", JsonPost, send)
