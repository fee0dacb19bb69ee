"""Accounts in a directory: disable and enable.

Facts: [MS-ADTS] 2.2.16 userAccountControl (ACCOUNTDISABLE = 0x2); draft-behera-ldap-password-policy 5.3.3
pwdAccountLockedTime ("000001010000Z" locks until an administrator unlocks).
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from hinomi.errors import DependencyDown, Refused
from responders.connectors.protocol import Done
from responders.connectors.settings import LdapDirectory

_DISABLED = 0x2
_FOREVER = "000001010000Z"
_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class Directory:
    """`disable_account` with values {account}. Opens a connection an act."""

    settings: LdapDirectory

    @property
    def _attribute(self) -> str:
        return "userAccountControl" if self.settings.method == "active_directory" else "pwdAccountLockedTime"

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the account up and says whether it would change."""
        with self._connected() as connection:
            dn, current = self._find(connection, _account(values))
            if self._is_disabled(current):
                return Done(f"{dn} は既に停止しています。", f"{dn} is disabled already", changed=False)
            return Done(f"{dn} を停止します。", f"disable {dn}")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The account's entry and the attribute as it is."""
        with self._connected() as connection:
            dn, current = self._find(connection, _account(values))
        return {"dn": dn, "before": current}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Disable the account."""
        with self._connected() as connection:
            dn, current = self._find(connection, _account(values))
            if self._is_disabled(current):
                return Done(f"{dn} は既に停止していました。", f"{dn} was disabled already", changed=False)
            new = (
                str(int(current or "512") | _DISABLED)
                if self._attribute == "userAccountControl"
                else _FOREVER
            )
            self._write(connection, dn, new)
            return Done(f"{dn} を停止しました。", f"disabled {dn}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the account is disabled now."""
        with self._connected() as connection:
            return self._is_disabled(self._find(connection, _account(values))[1])

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Put the attribute back as it was found."""
        dn, value = str(before["dn"]), before.get("before")
        if self._is_disabled(value):
            return Done(f"{dn} はもともと停止していました。", f"{dn} had been disabled before", changed=False)
        with self._connected() as connection:
            self._write(connection, dn, value)
        return Done(f"{dn} の停止を解きました。", f"enabled {dn} again")

    def health(self) -> str:
        """Binds and reads the base entry."""
        try:
            with self._connected() as connection:
                found = connection.search(self.settings.base, "(objectClass=*)", search_scope=ldap3.BASE)
                return "" if found else f"{self.settings.base} を読めません / cannot read the base entry"
        except (DependencyDown, Refused) as error:
            return error.ja

    def _is_disabled(self, current: str | None) -> bool:
        if self._attribute == "userAccountControl":
            return bool(int(current or 0) & _DISABLED)
        return current is not None

    def _find(self, connection: Any, account: str) -> tuple[str, str | None]:
        query = f"({self.settings.account_attribute}={escape_filter_chars(account)})"
        connection.search(self.settings.base, query, attributes=[self._attribute])
        entries = [entry for entry in connection.response or [] if entry.get("type") == "searchResEntry"]
        if len(entries) != 1:
            raise Refused(
                f"アカウント「{account}」はディレクトリに {len(entries)} 件あります。1件のときだけ操作します。",
                f'account "{account}" is in the directory {len(entries)} times, not once',
            )
        values = entries[0]["raw_attributes"].get(self._attribute) or []
        return str(entries[0]["dn"]), values[0].decode() if values else None

    def _write(self, connection: Any, dn: str, value: str | None) -> None:
        change = [(ldap3.MODIFY_REPLACE, [value] if value is not None else [])]
        if not connection.modify(dn, {self._attribute: change}):
            raise Refused(
                f"ディレクトリが変更を断りました({connection.result['description']})。",
                f"the directory refused the change: {connection.result['description']}",
            )

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        ca = str(self.settings.ca) if self.settings.ca else None
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=ca)
        try:
            server = ldap3.Server(self.settings.url, tls=tls, connect_timeout=_TIMEOUT, get_info=ldap3.NONE)
            connection = ldap3.Connection(
                server, self.settings.bind_dn, self.settings.password.reveal(), receive_timeout=_TIMEOUT
            )
            try:
                if self.settings.starttls:
                    connection.start_tls()
                if not connection.bind():
                    raise Refused(
                        f"ディレクトリがサインインを断りました({connection.result['description']})。",
                        f"the directory refused the sign-in: {connection.result['description']}",
                    )
                yield connection
            finally:
                connection.unbind()
        except LDAPException as error:
            raise DependencyDown(
                f"ディレクトリ {self.settings.url} に届きません({type(error).__name__})。",
                f"directory {self.settings.url} cannot be reached: {type(error).__name__}",
            ) from error


def _account(values: Mapping[str, str]) -> str:
    """`HINOMI\\t.yamada` and `t.yamada@…` name the account t.yamada."""
    return values["account"].rsplit("\\", 1)[-1].split("@", 1)[0]
