"""A real SMTP server (aiosmtpd) on loopback that notes when each mail was delivered."""

import email
import email.policy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.e2e.tower import free_port


@dataclass  # without slots: aiosmtpd looks at all members of it, which fails with them on Python 3.11.2
class Relay:
    """What was delivered: (seconds since the epoch, the mail)."""

    port: int
    mails: list[tuple[float, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """See aiosmtpd's handlers."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((time.time(), mail))
        return "250 taken"

    def texts(self) -> list[tuple[float, str]]:
        """When, and subject and text."""
        return [(at, f"{mail['Subject']}\n{mail.get_content()}") for at, mail in list(self.mails)]


@contextmanager
def relay() -> Iterator[Relay]:
    """A relay for the length of the block."""
    own = Relay(free_port())
    controller = Controller(own, hostname="127.0.0.1", port=own.port)
    controller.start()
    try:
        yield own
    finally:
        controller.stop()
