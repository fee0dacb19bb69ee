"""Accounts in a directory over LDAP: OpenLDAP and Active Directory. What is changed: `ldap_changes`."""

import ssl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from hinomi.errors import DependencyDown, Refused
from hinomi.ldap import opened
from responders.connectors.found import EVERYTHING, Extent
from responders.connectors.ldap_changes import LEAVING, Change, LeavingGroups, change
from responders.connectors.protocol import Done, Kind
from responders.connectors.settings import LdapDirectory

_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class Directory:
    """Values: {account}. Opens a connection an act."""

    settings: LdapDirectory
    extent: Extent = EVERYTHING

    def searches(self, action: str) -> bool:
        """See `Searching`: in which groups an account is."""
        return action == LEAVING

    def within(self, extent: Collection[str]) -> "Directory":
        """See `Searching`: groups by their DN."""
        return replace(self, extent=Extent(frozenset(extent)))

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the account up and says whether it would change."""
        with self._entry(action, values) as (connection, dn, entry, own):
            said = own.words(dn, "plan" if own.anew or not own.done(connection, dn, entry) else "already")
            return own.told(connection, dn, said, "plan") if isinstance(own, LeavingGroups) else said

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The account's entry and what is needed to put it back."""
        with self._entry(action, values) as (connection, dn, entry, own):
            return {"dn": dn, "before": own.look(connection, dn, entry)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Change the account, unless it is so already."""
        with self._entry(action, values) as (connection, dn, entry, own):
            said = own.words(dn, "did")
            if not own.anew and own.done(connection, dn, entry):
                said = own.words(dn, "already")
            else:
                own.make(connection, dn, entry)
            return own.told(connection, dn, said, "did") if isinstance(own, LeavingGroups) else said

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the account is so now."""
        with self._entry(action, values) as (connection, dn, entry, own):
            return own.done(connection, dn, entry)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Put back what was found."""
        dn, own = str(before["dn"]), change(action, self.settings, self.extent)
        with self._connected() as connection:
            return own.words(dn, "back" if own.back(connection, dn, before.get("before")) else "was")

    def health(self) -> str:
        """Binds and reads the base entry."""
        try:
            with self._connected() as connection:
                found = connection.search(self.settings.base, "(objectClass=*)", search_scope=ldap3.BASE)
                return "" if found else f"{self.settings.base} を読めません / cannot read the base entry"
        except (DependencyDown, Refused) as error:
            return error.ja

    @contextmanager
    def _entry(
        self, action: str, values: Mapping[str, str]
    ) -> Iterator[tuple[Any, str, dict[str, list[bytes]], Change]]:
        own = change(action, self.settings, self.extent)
        with self._connected() as connection:
            dn, entry = self._find(connection, _account(values), own.attributes)
            yield connection, dn, entry, own

    def _find(
        self, connection: Any, account: str, attributes: list[str]
    ) -> tuple[str, dict[str, list[bytes]]]:
        query = f"({self.settings.account_attribute}={escape_filter_chars(account)})"
        connection.search(self.settings.base, query, attributes=attributes)
        entries = [entry for entry in connection.response or [] if entry.get("type") == "searchResEntry"]
        if len(entries) != 1:
            raise Refused(
                f"アカウント「{account}」はディレクトリに {len(entries)} 件あります。1件のときだけ操作します。",
                f'account "{account}" is in the directory {len(entries)} times, not once',
            )
        return str(entries[0]["dn"]), dict(entries[0]["raw_attributes"])

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        ca = str(self.settings.ca) if self.settings.ca else None
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=ca)
        try:
            server = ldap3.Server(self.settings.url, tls=tls, connect_timeout=_TIMEOUT, get_info=ldap3.NONE)
            connection = ldap3.Connection(
                server, self.settings.bind_dn, self.settings.password.reveal(), receive_timeout=_TIMEOUT
            )
            with opened(connection, starttls=self.settings.starttls):
                if not connection.bind():
                    raise Refused(
                        f"ディレクトリがサインインを断りました({connection.result['description']})。",
                        f"the directory refused the sign-in: {connection.result['description']}",
                    )
                yield connection
        except LDAPException as error:
            raise DependencyDown(
                f"ディレクトリ {self.settings.url} に届きません({type(error).__name__})。",
                f"directory {self.settings.url} cannot be reached: {type(error).__name__}",
            ) from error


def _account(values: Mapping[str, str]) -> str:
    """`HINOMI\\t.yamada` and `t.yamada@…` name the account t.yamada."""
    return values["account"].rsplit("\\", 1)[-1].split("@", 1)[0]


KIND = Kind(
    "ldap",
    LdapDirectory,
    Directory,
    frozenset({"directory.disable_account", "directory.reset_password", "directory.remove_from_groups"}),
)
