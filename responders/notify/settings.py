"""`notify:` of the configuration."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from hinomi.config import Section
from hinomi.kinds import by_kind
from hinomi.secret import Secret
from responders.notify.channels.chat import Chat
from responders.notify.channels.file import Files
from responders.notify.channels.smtp import Smtp
from responders.notify.channels.webhook import Webhook
from responders.notify.kinds import kinds

if TYPE_CHECKING:
    Channel = Any
else:
    Channel = by_kind({name: kind.settings for name, kind in kinds().items()})

__all__ = ["Channel", "Chat", "Files", "Heartbeat", "NotifySettings", "Smtp", "Webhook"]


class Heartbeat(Section):
    """A service outside that rings when we fall silent: url is fetched every so many minutes while messages work."""

    url: Secret
    minutes: int = Field(default=5, ge=1, le=60)


class NotifySettings(Section):
    """channels by name; base_url: of the console, for links; per_person_an_hour, an_hour: limits of messages (grade 3 is
    never held back by them); alarm: who is told when messages themselves do not go out; label: stands before every subject
    (`訓練` in a drill).

    storm_messages, storm_minutes: once a person was told of so many incidents within so many minutes, further ones wait that
    long and are one digest; what is graver than all of them goes at once, and grade 3 waits a minute at most.
    bundle_seconds: how long the first burst of an incident below grade 3 may come together before it is told.
    blind_minutes: after so many minutes without an answer of the store the person on call is told that monitoring is blind; 0:
    nobody is.
    attempts: after so many failures the next of the chain is called; it goes on being tried all the same.
    """

    channels: dict[str, Channel] = Field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8470"
    per_person_an_hour: int = Field(default=20, ge=1)
    an_hour: int = Field(default=60, ge=1)
    storm_messages: int = Field(default=3, ge=1)
    storm_minutes: int = Field(default=10, ge=1)
    bundle_seconds: int = Field(default=2, ge=0)
    attempts: int = Field(default=6, ge=1, le=50)
    blind_minutes: int = Field(default=5, ge=0, le=120)
    heartbeat: Heartbeat | None = None
    alarm: list[str] = Field(default_factory=list)
    label: str = Field(default="", max_length=20)
    link_key: Secret | None = None
