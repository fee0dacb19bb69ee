"""Mail through an SMTP relay. UTF-8 throughout; header injection is impossible: EmailMessage refuses line ends."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from hinomi.errors import DependencyDown
from responders.notify.message import Message
from responders.notify.settings import Smtp
from responders.oncall.settings import Contact

_TIMEOUT = 15.0


def send(settings: Smtp, contact: Contact, message: Message, key: str) -> None:
    """Hand the mail to the relay. key: the notification's id, kept in Message-ID so that doubles can be told."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = settings.sender, contact.mail, message.subject
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{key}@hinomi>" if key else make_msgid(domain="hinomi")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, charset="utf-8", cte="base64")
    try:
        with _connected(settings) as relay:
            if settings.password is not None:
                relay.login(settings.user, settings.password.reveal())
            relay.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise DependencyDown(
            f"メール中継 {settings.host}:{settings.port} に渡せません({_said(error)})。",
            f"mail relay {settings.host}:{settings.port} did not take it: {_said(error)}",
        ) from error


def _connected(settings: Smtp) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=_TIMEOUT, context=context)
    relay = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
    if settings.tls == "starttls":
        relay.starttls(context=context)
    return relay


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
