"""`notify:` of the configuration."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.secret import Secret


class Smtp(Section):
    """Mail through a relay. tls: `starttls`, `tls` or `none` (a relay on a closed network)."""

    kind: Literal["smtp"]
    host: str
    port: int = Field(default=25, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    ca: Path | None = None
    sender: str
    user: str = ""
    password: Secret | None = None
    inside: bool = True


class Webhook(Section):
    """JSON to an address, signed: X-Hinomi-Signature: sha256=HMAC(key, body)."""

    kind: Literal["webhook"]
    url: Secret
    key: Secret | None = None
    inside: bool = False


class Chat(Section):
    """Teams, Slack and everything else that apprise knows; the URL holds the token and is a secret."""

    kind: Literal["chat"]
    url: Secret
    inside: bool = False


class Files(Section):
    """Messages as files in a folder, for closed networks and trials."""

    kind: Literal["file"]
    folder: Path
    inside: bool = True


Channel = Annotated[Smtp | Webhook | Chat | Files, Field(discriminator="kind")]


class NotifySettings(Section):
    """channels by name; base_url: of the console, for links; per_person_an_hour, an_hour: limits of messages.

    storm_messages, storm_minutes: after so many messages to a person within so many minutes, further ones wait that
    long and are one digest; what is graver than all of them goes at once.
    """

    channels: dict[str, Channel] = Field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8470"
    per_person_an_hour: int = Field(default=20, ge=1)
    an_hour: int = Field(default=60, ge=1)
    storm_messages: int = Field(default=3, ge=1)
    storm_minutes: int = Field(default=10, ge=1)
    bundle_seconds: int = Field(default=30, ge=0)
    attempts: int = Field(default=6, ge=1, le=50)
    link_key: Secret | None = None
