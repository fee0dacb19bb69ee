"""What to do about a channel that did not take a message: by what the network or the server said."""

import smtplib
import socket
import ssl
from collections.abc import Iterator

import httpx

from hinomi.errors import ConfigError
from hinomi.words import Words

_ELSE = Words(
    "相手の記録と、docs/response.md の「当番と通知」を見てください。",
    'look at the other side\'s log and at "On call and messages" in docs/response.md',
)
_WEB = Words(
    "notify.channels.{channel} の URL と鍵、相手の管理画面の設定を確かめてください。",
    "check the URL and the key under notify.channels.{channel}, and the settings on the other side",
)
_UNREACHABLE = Words(
    "notify.channels.{channel} の {keys}、途中の防火壁とプロキシ、相手が動いているかを確かめてください。",
    "check {keys} under notify.channels.{channel}, firewalls and proxies on the way, and whether the other side runs",
)
_URL = Words("url", "url")
_KEYS = {
    "smtp": Words("host・port", "host and port"),
    "line_works": Words("url・token_url", "url and token_url"),
}
"""The keys that say where a kind of channel is; all others have a `url`."""
_Causes = tuple[tuple[type[BaseException], Words], ...]

_OF_MAIL: _Causes = (
    (
        smtplib.SMTPAuthenticationError,
        Words(
            "notify.channels.{channel} の user と password(秘密)を確かめてください。",
            "check user and password (a secret) under notify.channels.{channel}",
        ),
    ),
    (
        smtplib.SMTPRecipientsRefused,
        Words(
            "oncall.people.{person} の mail と、中継がその宛先を受けるかを確かめてください。",
            "check mail under oncall.people.{person}, and whether the relay takes that recipient",
        ),
    ),
    (
        smtplib.SMTPSenderRefused,
        Words(
            "notify.channels.{channel} の sender を、中継が許す差出人に直してください。",
            "let sender under notify.channels.{channel} be one that the relay allows",
        ),
    ),
    (
        smtplib.SMTPNotSupportedError,
        Words(
            "中継にその機能がありません。notify.channels.{channel} の tls(starttls・tls・none)と user を中継に合わせてください。",
            "the relay cannot do that: let tls (starttls, tls, none) and user under notify.channels.{channel} fit it",
        ),
    ),
    (
        ssl.SSLCertVerificationError,
        Words(
            "notify.channels.{channel} の ca に庁内の認証局の証明書(PEM)を書くか、host を相手の証明書の名前に合わせてください。",
            "name the city's authority (PEM) as ca under notify.channels.{channel}, or let host fit the certificate",
        ),
    ),
    (
        ssl.SSLError,
        Words(
            "notify.channels.{channel} の tls と port の組を確かめてください(starttls は 25・587、tls は 465 が普通です)。",
            "check tls and port under notify.channels.{channel} (usually 25 or 587 with starttls, 465 with tls)",
        ),
    ),
)
_OF_WEB: _Causes = (
    (
        ssl.SSLCertVerificationError,
        Words(
            "notify.channels.{channel} の {keys} の名前が相手の証明書と合うか、その認証局をこの機械が信頼しているかを確かめてください。",
            "check that the name in {keys} under notify.channels.{channel} fits the certificate and this machine trusts its authority",
        ),
    ),
    (
        ssl.SSLError,
        Words(
            "notify.channels.{channel} の {keys} が https で話す口を指しているかを確かめてください。",
            "check that {keys} under notify.channels.{channel} leads to a port that speaks https",
        ),
    ),
)
_OF_FILE: _Causes = (
    (
        OSError,
        Words(
            "notify.channels.{channel} の folder の場所と、火の見がそこに書けるかを確かめてください。",
            "check folder under notify.channels.{channel}, and whether Hinomi may write there",
        ),
    ),
)
_OF_ALL: _Causes = (
    (
        ConfigError,
        Words(
            "hinomi doctor が示す設定の誤りを直してください。",
            "mend what hinomi doctor names in the configuration",
        ),
    ),
    (
        socket.gaierror,
        Words(
            "notify.channels.{channel} の {keys} の綴りと、この機械の DNS を確かめてください。",
            "check the spelling of {keys} under notify.channels.{channel}, and this machine's DNS",
        ),
    ),
    (smtplib.SMTPServerDisconnected, _UNREACHABLE),
    (smtplib.SMTPException, _ELSE),
    (httpx.HTTPStatusError, _WEB),
    (httpx.TransportError, _UNREACHABLE),
    (OSError, _UNREACHABLE),
)
"""The first that fits, from the particular to the general: of the channel's kind, then these."""
_OF_KIND = {
    "smtp": _ELSE,
    "file": _ELSE,
    "phone": Words(
        "oncall.people.{person} の phone と、notify.channels.{channel} の url・鍵を確かめてください。",
        "check phone under oncall.people.{person}, and url and keys under notify.channels.{channel}",
    ),
    "line_works": Words(
        "oncall.people.{person} の line_works と、notify.channels.{channel} の鍵を確かめてください。",
        "check line_works under oncall.people.{person}, and the keys under notify.channels.{channel}",
    ),
}
"""Where the failure has no cause of its own: by kind of channel; all others are web services."""


def remedy(error: BaseException, kind: str, person: str, channel: str) -> Words:
    """What to do next, naming the keys of the configuration. kind: of the channel; person, channel: their names there."""
    causes = list(_causes(error))
    known = {"smtp": _OF_MAIL, "file": _OF_FILE}.get(kind, _OF_WEB) + _OF_ALL
    found = next(
        (words for cause, words in known if any(isinstance(one, cause) for one in causes)),
        _OF_KIND.get(kind, _WEB),
    )
    named, keys = {"person": person, "channel": channel}, _KEYS.get(kind, _URL)
    return Words(found.ja.format(**named, keys=keys.ja), found.en.format(**named, keys=keys.en))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what was behind it, also where its text may not show it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
