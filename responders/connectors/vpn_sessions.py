"""What is said of a person's VPN sessions, whichever firewall they end at; and what is the same of all: nobody gives an ended one back."""

from collections.abc import Mapping, Sequence
from typing import Any

from hinomi import identity
from hinomi.errors import Refused
from hinomi.words import Words
from responders.connectors.found import Counted

END = "firewall.end_vpn_session"
WORDS = Counted(
    counter="本",
    plan=Words("{v} の VPN 接続 {n} 本を切ります。", "end {n} sessions of {v}"),
    did=Words("{v} の VPN 接続 {n} 本を切りました。", "ended {n} sessions of {v}"),
    none=Words("{v} の VPN 接続はありません。", "{v} has no session"),
    back=Words("切った接続は、本人がつなぎ直します。", "the person connects again"),
)


def account_of(value: str) -> str:
    """The account name as a VPN knows it, in whichever script: letters and digits with . _ - between them. It is only compared with
    what the firewall tells, and is no part of a request. Raises Refused for anything else."""
    account = identity.account(value)
    if not account.translate(str.maketrans("", "", "._-")).isalnum():
        raise Refused(f"「{value}」はアカウント名ではありません。", f'"{value}" is no account name')
    return account


class Momentary:
    """The part of a `found.Search` of what leaves nothing that could be put back."""

    @property
    def words(self) -> Counted:
        """What is said."""
        return WORDS

    def back(self, api: Any, value: str, before: Mapping[str, Any]) -> int:
        """Nothing."""
        return 0

    def journal(self, things: Sequence[Any]) -> dict[str, Any]:
        """How many there are."""
        return {"sessions": len(things)}
