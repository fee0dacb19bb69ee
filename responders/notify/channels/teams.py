"""Microsoft Teams: an Adaptive Card to a workflow's webhook.

Facts: Microsoft Learn, "Create an incoming webhook with Workflows": POST {type: message, attachments: [{contentType:
application/vnd.microsoft.card.adaptive, content}]}, answered 202; Adaptive Cards 1.4 (TextBlock, Action.OpenUrl).
"""

from typing import Literal

from hinomi.config import Section
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.notify.posting import post
from responders.oncall.settings import Contact


class Teams(Section):
    """A workflow's address; it holds a token and is a secret."""

    kind: Literal["teams"]
    url: Secret
    inside: bool = False


def send(settings: Teams, contact: Contact, message: Message, key: str) -> None:
    """Hand the card over. Text blocks show no links of their own (Markdown is escaped)."""
    body = [
        {"type": "TextBlock", "text": _plain(message.subject), "weight": "Bolder", "wrap": True},
        *(
            {"type": "TextBlock", "text": _plain(line), "wrap": True, "spacing": "Small"}
            for line in message.text.split("\n")
            if line.strip()
        ),
    ]
    buttons = [("対応を始める", message.ack), ("詳しく見る", message.link)]
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in buttons if url],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    post(settings.url.reveal(), what="Teams", json={"type": "message", "attachments": [attachment]})


def _plain(text: str) -> str:
    """Without Markdown: a log line must not become a link."""
    return "".join(f"\\{sign}" if sign in "[]()*_`#" else sign for sign in text)


KIND = ChannelKind("teams", Teams, send)
