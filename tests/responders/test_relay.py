"""A strict SMTP server takes what we send: line ends and lengths as RFC 5321 asks."""

import pytest

from responders.notify.channels.smtp import Smtp, send
from responders.notify.message import Message
from responders.oncall.settings import Contact
from tests.responders.peers.relay import relay


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_a_strict_relay_takes_long_japanese_mail(charset: str) -> None:
    """aiosmtpd refuses a line of more than 1,000 octets, and all of a mail with bare line feeds is one line."""
    text = "次のリンクで「対応する」を押してください。\n" * 80
    contact = Contact(name_ja="佐藤", channels=["mail"], mail="sato@city.example.jp")
    with relay() as own:
        settings = Smtp.model_validate(
            {
                "kind": "smtp",
                "host": "127.0.0.1",
                "port": own.port,
                "tls": "none",
                "sender": "h@city.example.jp",
            }
            | {"charset": charset}
        )
        send(settings, contact, Message("【重大】侵害の疑い", text), "k1")
        [(_, mail)] = own.mails
    assert (
        mail["Subject"] == "【重大】侵害の疑い"
        and mail.get_content().replace("\r\n", "\n").strip() == text.strip()
    )
