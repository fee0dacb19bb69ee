"""Short messages and calls through a telephone provider's API (Twilio's, which others speak, too).

Facts: Twilio, "Programmable Messaging API: Messages" and "Programmable Voice API: Calls": POST
/2010-04-01/Accounts/{sid}/Messages.json {To, From, Body} or Calls.json {To, From, Twiml}, basic authentication, answered 201;
TwiML <Say language="ja-JP">.
"""

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
        form["Body"] = f"{message.subject}\n{message.ack or message.link}"[:_LONGEST]
    else:
        said = escape(f"火の見からの緊急連絡です。{message.subject}")
        form["Twiml"] = f'<Response><Say language="ja-JP" loop="{settings.repeat}">{said}</Say></Response>'
    kind = "Messages" if settings.mode == "sms" else "Calls"
    post(
        f"{settings.url}/2010-04-01/Accounts/{quote(settings.account)}/{kind}.json",
        what="電話",
        form=form,
        basic=(settings.account, settings.token.reveal()),
    )


KIND = ChannelKind("phone", Phone, send)
