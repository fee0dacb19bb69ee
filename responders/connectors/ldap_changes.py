"""What can be done to an account in a directory: locked, given a useless password, taken out of groups.

Facts: [MS-ADTS] 2.2.16 userAccountControl (ACCOUNTDISABLE = 0x2), 3.1.1.3.1.5 unicodePwd (quoted, UTF-16LE) and pwdLastSet
(100 ns since 1601); draft-behera-ldap-password-policy 5.3.2 pwdChangedTime, 5.3.3 pwdAccountLockedTime ("000001010000Z"
locks until an administrator unlocks). Kerberos, as measured against Samba's KDC (tests/responders/test_active_directory.py):
a disabled account gets no new ticket, no service ticket for a ticket-granting ticket that it still has, and no renewal; a
new password alone ends none of these, only sign-ins with the old one. Service tickets that are out live until they end (ten
hours by default), and an account that is enabled again within that time has its old ticket-granting ticket back.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import ldap3

from hinomi.errors import Refused
from hinomi.words import Words
from responders.connectors.found import EVERYTHING, GONE, Extent, since
from responders.connectors.protocol import Done
from responders.connectors.settings import LdapDirectory

LEAVING = "directory.remove_from_groups"
_DISABLED = 0x2
_FOREVER = "000001010000Z"
_EPOCH_1601 = datetime(1601, 1, 1, tzinfo=UTC)
_FRESH = timedelta(minutes=15)


class Change(Protocol):
    """One kind of change over an entry (its dn and raw attributes). `done`: whether it is so already. `anew`: whether it
    is made all the same, because what stands there may be another's doing."""

    @property
    def anew(self) -> bool:
        """Whether looking done is not enough."""
        ...

    @property
    def attributes(self) -> list[str]:
        """What must be read of the entry."""
        ...

    def done(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> bool:
        """Whether the entry is as `make` leaves it."""
        ...

    def look(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> Any:
        """What must be known to put it back."""
        ...

    def make(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> None:
        """Do it."""
        ...

    def back(self, connection: Any, dn: str, before: Any) -> bool:
        """Put it back; False when there is nothing to put back."""
        ...

    def words(self, dn: str, when: str) -> Done:
        """when: `plan`, `already`, `did`, `back`, `was`."""
        ...


@dataclass(slots=True)
class Locking:
    """The account disabled (Active Directory) or locked (slapo-ppolicy)."""

    settings: LdapDirectory
    anew: bool = False

    @property
    def attributes(self) -> list[str]:
        """The attribute that locks."""
        directory = self.settings.method == "active_directory"
        return ["userAccountControl" if directory else "pwdAccountLockedTime"]

    def done(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> bool:
        """Whether it is locked."""
        return self._locked(self.look(connection, dn, entry))

    def look(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> str | None:
        """The attribute as it is."""
        values = entry.get(self.attributes[0]) or []
        return values[0].decode() if values else None

    def make(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> None:
        """Set the bit or the time."""
        current = self.look(connection, dn, entry)
        bit = self.attributes[0] == "userAccountControl"
        write(
            connection, dn, self.attributes[0], [str(int(current or "512") | _DISABLED) if bit else _FOREVER]
        )

    def back(self, connection: Any, dn: str, before: str | None) -> bool:
        """The attribute as it was."""
        if self._locked(before):
            return False
        write(connection, dn, self.attributes[0], [] if before is None else [before])
        return True

    def words(self, dn: str, when: str) -> Done:
        """See `Change`."""
        return {
            "plan": Done(f"{dn} を停止します。", f"disable {dn}"),
            "already": Done(f"{dn} は既に停止しています。", f"{dn} is disabled already", changed=False),
            "did": Done(f"{dn} を停止しました。", f"disabled {dn}"),
            "back": Done(f"{dn} の停止を解きました。", f"enabled {dn} again"),
            "was": Done(
                f"{dn} はもともと停止していました。", f"{dn} had been disabled before", changed=False
            ),
        }[when]

    def _locked(self, current: str | None) -> bool:
        if self.attributes[0] == "userAccountControl":
            return bool(int(current or 0) & _DISABLED)
        return current is not None


@dataclass(slots=True)
class NewPassword:
    """A password that nobody knows. It cannot be put back: a person sets a new one with the owner.

    It is made anew however lately it was changed: whoever took the account over may have been the one to change it. After a
    crash that means a second useless password in place of the first.
    """

    settings: LdapDirectory
    anew: bool = True

    @property
    def attributes(self) -> list[str]:
        """The time of the last change."""
        return ["pwdLastSet" if self.settings.method == "active_directory" else "pwdChangedTime"]

    def done(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> bool:
        """Whether it was changed within the last minutes: what stands there cannot be read, so this only verifies."""
        values = entry.get(self.attributes[0]) or []
        changed = _time(values[0].decode()) if values else None
        return changed is not None and abs(datetime.now(UTC) - changed) < _FRESH

    def look(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> str | None:
        """When it was changed last."""
        values = entry.get(self.attributes[0]) or []
        return values[0].decode() if values else ""

    def make(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> None:
        """Write it; it is kept nowhere."""
        password = secrets.token_urlsafe(24) + "aA1!"
        if self.settings.method == "active_directory":
            write(connection, dn, "unicodePwd", [f'"{password}"'.encode("utf-16-le")])
        else:
            write(connection, dn, "userPassword", [password])

    def back(self, connection: Any, dn: str, before: Any) -> bool:
        """Never."""
        return False

    def words(self, dn: str, when: str) -> Done:
        """See `Change`."""
        said = {
            "plan": Done(f"{dn} のパスワードを無効にします。", f"make the password of {dn} useless"),
            "did": Done(f"{dn} のパスワードを無効にしました。", f"made the password of {dn} useless"),
        }
        never = Done(
            f"{dn} のパスワードは元に戻せません。本人と新しいものを決めてください。",
            f"the password of {dn} cannot be put back; set a new one with its owner",
            changed=False,
        )
        return said.get(when, never)


@dataclass(slots=True)
class LeavingGroups:
    """Out of the groups that the configuration calls privileged; put back into exactly those it was in. extent: those that were approved,
    by their DN; what it came into later it stays in, and that is said."""

    settings: LdapDirectory
    attributes: list[str]
    extent: Extent = EVERYTHING
    anew: bool = False

    def done(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> bool:
        """Whether it is in none of them."""
        return not self.look(connection, dn, entry)

    def look(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> list[str]:
        """The privileged groups that it is in and may be taken out of."""
        return self.extent.own(self._there(connection, dn), _names)

    def make(self, connection: Any, dn: str, entry: dict[str, list[bytes]]) -> None:
        """Leave each."""
        for group in self.look(connection, dn, entry):
            write(connection, group, "member", [dn], ldap3.MODIFY_DELETE)

    def back(self, connection: Any, dn: str, before: list[str]) -> bool:
        """Into those that it was in, where it is not already. Raises Refused, after the others, when one is there no more."""
        now = set(self._there(connection, dn))
        missing = [group for group in before if group not in now]
        gone = [group for group in missing if not _exists(connection, group)]
        for group in missing:
            if group not in gone:
                write(connection, group, "member", [dn], ldap3.MODIFY_ADD)
        if gone:
            named = ", ".join(gone)
            raise Refused(
                f"グループ {named} はもうありません。ほかのグループには戻しました。",
                f"there is no {named} any more; {dn} is back in the other groups",
            )
        return bool(before)

    def told(self, connection: Any, dn: str, said: Done, when: str) -> Done:
        """What is said, with which groups before and how many others after."""
        there = self._there(connection, dn)
        own = self.extent.own(there, _names)
        if when == "plan":
            named = f"({'、'.join(own)})" if own else "", f": {', '.join(own)}" if own else ""
            return replace(said, ja=said.ja + named[0], en=said.en + named[1], extent=tuple(own))
        more = since(len(there) - len(own), "個")
        first = GONE if more.ja and not said.changed else Words(said.ja, said.en)
        return replace(said, ja=first.ja + more.ja, en=first.en + more.en)

    def words(self, dn: str, when: str) -> Done:
        """See `Change`."""
        return {
            "plan": Done(f"{dn} を特権グループから外します。", f"take {dn} out of the privileged groups"),
            "already": Done(
                f"{dn} は特権グループに入っていません。", f"{dn} is in no privileged group", changed=False
            ),
            "did": Done(f"{dn} を特権グループから外しました。", f"took {dn} out of the privileged groups"),
            "back": Done(f"{dn} を元のグループに戻しました。", f"put {dn} back into its groups"),
            "was": Done(
                f"{dn} は特権グループに入っていませんでした。",
                f"{dn} was in no privileged group",
                changed=False,
            ),
        }[when]

    def _there(self, connection: Any, dn: str) -> list[str]:
        found = []
        for group in self.settings.privileged_groups:
            query = f"(member={ldap3.utils.conv.escape_filter_chars(dn)})"
            if connection.search(group, query, search_scope=ldap3.BASE, attributes=["1.1"]):
                found.append(group)
        return found


def _exists(connection: Any, group: str) -> bool:
    return bool(connection.search(group, "(objectClass=*)", search_scope=ldap3.BASE, attributes=["1.1"]))


def _names(group: str) -> tuple[str, ...]:
    """See `found.Search`: its DN."""
    return (group,)


def change(action: str, settings: LdapDirectory, extent: Extent) -> Change:
    """The change that an action makes. extent: of what a search finds for it."""
    if action == "directory.reset_password":
        return NewPassword(settings)
    if action == LEAVING:
        return LeavingGroups(settings, ["1.1"], extent)
    return Locking(settings)


def write(
    connection: Any, dn: str, attribute: str, values: list[Any], how: str = ldap3.MODIFY_REPLACE
) -> None:
    """One modification. Raises Refused when the directory does."""
    if not connection.modify(dn, {attribute: [(how, values)]}):
        said = connection.result["description"]
        raise Refused(
            f"ディレクトリが変更を断りました({said})。", f"the directory refused the change: {said}"
        )


def _time(text: str) -> datetime | None:
    """Of generalised time (`20261119181400Z`) or of 100 ns since 1601."""
    if text.isdigit():
        return _EPOCH_1601 + timedelta(microseconds=int(text) // 10)
    try:
        return datetime.strptime(text.split(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
