"""Chat services through apprise (Teams, Slack, LINE, …)."""

from typing import Literal

from hinomi.config import Section
from hinomi.errors import DependencyDown
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.oncall.settings import Contact


class Chat(Section):
    """Teams, Slack and everything else that apprise knows; the URL holds the token and is a secret."""

    kind: Literal["chat"]
    url: Secret
    inside: bool = False


def send(settings: Chat, contact: Contact, message: Message, key: str) -> None:
    """Hand the message to the service that the URL names."""
    import apprise  # a second to import, and few cities chat

    service = apprise.Apprise()
    if not service.add(settings.url.reveal()):
        raise DependencyDown("チャットの URL を読めません。", "the chat URL is not one that apprise knows")
    if not service.notify(title=message.subject, body=message.text):
        raise DependencyDown("チャットに送れません。", "the chat service did not take the message")


KIND = ChannelKind("chat", Chat, send)
