"""Short messages and calls through a telephone provider's API (Twilio's, which others speak, too).

Facts: Twilio, "Programmable Messaging API: Messages" and "Programmable Voice API: Calls": POST
/2010-04-01/Accounts/{sid}/Messages.json {To, From, Body} or Calls.json {To, From, Twiml}, basic authentication, answered 201;
TwiML <Say language="ja-JP">.
"""

import re
from typing import Literal
from urllib.parse import quote
from xml.sax.saxutils import escape

from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown
from hinomi.secret import Secret
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.notify.posting import post
from responders.oncall.settings import Contact

_LONGEST = 600  # several parts of a short message, no novel


class Phone(Section):
    """An account at the provider. sender: a number in E.164; mode: `sms` or `voice`; repeat: how often a call says it."""

    kind: Literal["phone"]
    account: str
    token: Secret
    sender: str = Field(pattern=r"^\+?[0-9A-Za-z]{3,15}$")
    mode: Literal["sms", "voice"] = "sms"
    repeat: int = Field(default=2, ge=1, le=5)
    url: str = "https://api.twilio.com"
    inside: bool = False


def send(settings: Phone, contact: Contact, message: Message, key: str) -> None:
    """Send the subject and the link, or say the subject."""
    if not contact.phone:
        raise DependencyDown("電話番号がありません。", "the contact has no telephone number")
    form = {"To": contact.phone, "From": settings.sender}
    if settings.mode == "sms":
        act = f"対応を始める: {message.ack}" if message.ack else message.link
        form["Body"] = f"{message.subject}\n{act}"[:_LONGEST]
    else:
        act = (
            "メールかショートメッセージのリンク、または画面で、対応を始める、を押してください。"
            if message.ack
            else ""
        )
        said = escape(f"火の見からの緊急連絡です。{_spoken(message.subject)}。{act}")
        form["Twiml"] = f'<Response><Say language="ja-JP" loop="{settings.repeat}">{said}</Say></Response>'
    kind = "Messages" if settings.mode == "sms" else "Calls"
    post(
        f"{settings.url}/2010-04-01/Accounts/{quote(settings.account)}/{kind}.json",
        what="電話",
        form=form,
        basic=(settings.account, settings.token.reveal()),
    )


def _spoken(subject: str) -> str:
    """Brackets and number signs are read aloud by some voices."""
    return re.sub(r"[【】]", "、", subject).strip("、").replace("#", "番号 ")


KIND = ChannelKind("phone", Phone, send)
