"""Slack: an incoming webhook.

Facts: Slack API, "Sending messages using incoming webhooks": POST {text, blocks}, answered 200 `ok`; &, < and > are
escaped ("Formatting text for app surfaces"), so that no log line can call people or make links.
"""

from typing import Literal

from hinomi.config import Section
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.notify.posting import post
from responders.oncall.settings import Contact

_LONGEST = 2900  # of a section's text: 3,000


class Slack(Section):
    """An incoming webhook's address; it holds a token and is a secret."""

    kind: Literal["slack"]
    url: Secret
    inside: bool = False


def send(settings: Slack, contact: Contact, message: Message, key: str) -> None:
    """Hand the message over; `text` is what notifications show, `blocks` what the channel shows."""
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": name}, "url": url}
        for name, url in (("対応を始める", message.ack), ("詳しく見る", message.link))
        if url
    ]
    text = {"type": "plain_text", "text": message.text[:_LONGEST], "emoji": False}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:150], "emoji": False}},
        {"type": "section", "text": text},
        *([{"type": "actions", "elements": buttons}] if buttons else []),
    ]
    post(settings.url.reveal(), what="Slack", json={"text": _escaped(message.subject), "blocks": blocks})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


KIND = ChannelKind("slack", Slack, send)
