"""Chat services through apprise (Teams, Slack, LINE, …)."""

from hinomi.errors import DependencyDown
from responders.notify.message import Message
from responders.notify.settings import Chat
from responders.oncall.settings import Contact


def send(settings: Chat, contact: Contact, message: Message, key: str) -> None:
    """Hand the message to the service that the URL names."""
    import apprise  # a second to import, and few cities chat

    service = apprise.Apprise()
    if not service.add(settings.url.reveal()):
        raise DependencyDown("チャットの URL を読めません。", "the chat URL is not one that apprise knows")
    if not service.notify(title=message.subject, body=message.text):
        raise DependencyDown("チャットに送れません。", "the chat service did not take the message")
