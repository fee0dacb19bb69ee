"""Mail through an SMTP relay, as plain text or signed (S/MIME). Header injection is impossible: EmailMessage refuses line
ends, and every value of a message is inert before."""

import mimetypes
import smtplib
import ssl
from collections.abc import Mapping
from email.header import Header
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from pydantic import Field

from hinomi.config import Section
from hinomi.errors import ConfigError, DependencyDown
from hinomi.secret import Secret
from responders.notify.iso2022jp import encodable
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.oncall.settings import Contact

_TIMEOUT = 15.0
_LONGEST_LINE = 998
Files = Mapping[str, bytes]
"""Names and contents."""


class Signing(Section):
    """S/MIME: the sender's certificate (PEM) and its key (a secret, PEM without a passphrase)."""

    certificate: Path
    key: Secret


class Smtp(Section):
    """Mail through a relay. tls: `starttls`, `tls` or `none` (a relay on a closed network); charset: `iso-2022-jp` for
    readers that know nothing else; signing: S/MIME."""

    kind: Literal["smtp"]
    host: str
    port: int = Field(default=25, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    ca: Path | None = None
    sender: str
    user: str = ""
    password: Secret | None = None
    charset: Literal["utf-8", "iso-2022-jp"] = "utf-8"
    signing: Signing | None = None
    inside: bool = True


def send(
    settings: Smtp, contact: Contact, message: Message, key: str, files: Files = MappingProxyType({})
) -> None:
    """Hand the mail to the relay. key: the notification's id, kept in Message-ID so that doubles can be told; files: by name,
    sent with it."""
    mail = _mail(settings, message, files)
    sent = _signed(settings, mail) if settings.signing else mail.as_bytes()
    head = _head(settings, contact, message, key)
    try:
        with _connected(settings) as relay:
            if settings.password is not None:
                relay.login(settings.user, settings.password.reveal())
            relay.sendmail(settings.sender, [contact.mail], _crlf(head + sent))
    except (OSError, smtplib.SMTPException) as error:
        raise DependencyDown(
            f"メール中継 {settings.host}:{settings.port} に渡せません({_said(error)})。",
            f"mail relay {settings.host}:{settings.port} did not take it: {_said(error)}",
        ) from error


def _crlf(mail: bytes) -> bytes:
    """Lines ended as RFC 5321 2.3.8 asks: smtplib does so for text only, and relays refuse bare line feeds."""
    return mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _head(settings: Smtp, contact: Contact, message: Message, key: str) -> bytes:
    """The lines above the body's own: EmailMessage checks and folds them."""
    head = EmailMessage()
    head["From"], head["To"] = settings.sender, contact.mail
    head["Date"] = formatdate(usegmt=True)
    head["Message-ID"] = f"<{key}@hinomi>" if key else make_msgid(domain="hinomi")
    head["Auto-Submitted"] = "auto-generated"
    if settings.charset == "iso-2022-jp":
        subject = Header(encodable(message.subject), "iso-2022-jp", header_name="Subject").encode()
        return head.as_bytes().rstrip(b"\n") + f"\nSubject: {subject}\n".encode("ascii")
    head["Subject"] = message.subject
    return head.as_bytes().rstrip(b"\n") + b"\n"


def _mail(settings: Smtp, message: Message, files: Files) -> EmailMessage:
    """The body with its Content-* lines, and each file beside it."""
    mail = EmailMessage()
    if settings.charset == "iso-2022-jp":
        text = encodable(message.text)
        mail.set_content(text, charset="iso-2022-jp", cte="base64" if _long(text) else "7bit")
    else:
        mail.set_content(message.text, charset="utf-8", cte="base64")
    for name, content in files.items():
        kind, _, part = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
        mail.add_attachment(content, maintype=kind, subtype=part, filename=name)
    return mail


def _long(text: str) -> bool:
    """Whether a line has more octets than a relay must take (RFC 5321 4.5.3.1.6, without its end)."""
    return any(len(line.encode("iso-2022-jp")) > _LONGEST_LINE for line in text.splitlines())


def _signed(settings: Smtp, mail: EmailMessage) -> bytes:
    """multipart/signed (RFC 8551 3.5.3) over the body. Raises ConfigError for a certificate or key that is none."""
    assert settings.signing is not None
    try:
        certificate = x509.load_pem_x509_certificate(settings.signing.certificate.read_bytes())
        key = serialization.load_pem_private_key(settings.signing.key.reveal().encode(), password=None)
    except (OSError, ValueError) as error:
        raise ConfigError(
            "S/MIME の証明書か鍵を読めません。", f"the S/MIME certificate or key cannot be read: {error}"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError("S/MIME の鍵は RSA か EC です。", "the S/MIME key must be RSA or EC")
    body = _crlf(mail.as_bytes())
    made = pkcs7.PKCS7SignatureBuilder().set_data(body).add_signer(certificate, key, hashes.SHA256())
    return made.sign(serialization.Encoding.SMIME, [pkcs7.PKCS7Options.DetachedSignature])


def _connected(settings: Smtp) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=_TIMEOUT, context=context)
    relay = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
    if settings.tls == "starttls":
        try:
            relay.starttls(context=context)
        except Exception:
            relay.close()  # a relay that cannot do it, or whose certificate is not right, is tried for a day
            raise
    return relay


def _said(error: Exception) -> str:
    """The server's own answer where it gave one, else what went wrong on the way."""
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        return _answer(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(said.split())}"[:200]


KIND = ChannelKind("smtp", Smtp, send)
