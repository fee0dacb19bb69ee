"""Signing in with the directory's password: look the person up, then bind as them. The password is not kept.

Facts: RFC 4511 (a bind with an empty password is anonymous and always succeeds: refused before it is sent),
RFC 4515 (filter escaping), RFC 4530 (entryUUID names an entry for good: a rename keeps it, an entry made anew gets another).
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import ldap3
from ldap3.core.exceptions import LDAPBindError, LDAPException
from ldap3.utils.conv import escape_filter_chars

from dashboards.settings import LdapSignIn, seen_by_groups
from hinomi.errors import DependencyDown
from hinomi.ldap import opened
from hinomi.trust import context

_TIMEOUT = 8
_ENTRY, _OBJECT = "entryUUID", "objectGUID"
"""What a server names an entry by for good; the second is Active Directory's."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the directory knows them, with the roles of their groups. organizations: whose things they see
    (empty: everybody's), None where the directory does not say; subject: what names their entry for good; formerly: how the
    same entry was named while the bind account could not read that, empty where it still cannot."""

    name: str
    full_name: str
    roles: list[str]
    organizations: list[str] | None = None
    subject: str = ""
    formerly: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that people sign in with."""

    settings: LdapSignIn

    def verify(self, name: str, password: str) -> Person | None:
        """The person if the password is right and a group of theirs has a role here.

        Raises DependencyDown where the directory does not answer.
        """
        if not password or not name:
            return None
        try:
            with self._connection(self.settings.bind_dn, self.settings.password.reveal()) as robot:
                entry = self._entry(robot, name)
            if entry is None:
                return None
            dn, person = entry
            with self._connection(dn, password):
                return person
        except LDAPBindError:
            return None
        except LDAPException as error:
            raise DependencyDown(
                "ディレクトリに接続できません。", f"the directory does not answer: {error}"
            ) from error

    def _entry(self, connection: ldap3.Connection, name: str) -> tuple[str, Person | None] | None:
        """The account's DN, and who that is here; None for who is in no group that the configuration names."""
        own = self.settings
        wanted = f"(&({own.account_attribute}={escape_filter_chars(name)}){own.filter})"
        asked = [own.name_attribute, "memberOf", _ENTRY, _OBJECT]
        connection.search(own.base, wanted, attributes=asked, size_limit=2)
        found = [one for one in connection.response or [] if one.get("type") == "searchResEntry"]
        if len(found) != 1:
            return None
        attributes = found[0]["attributes"]
        groups = {str(group).lower() for group in _listed(attributes.get("memberOf"))}
        groups |= self._groups_naming(connection, found[0]["dn"])
        roles = [role for group, held in own.roles.items() if group.lower() in groups for role in held]
        full_name = next(iter(_listed(attributes.get(own.name_attribute))), "")
        seen = seen_by_groups({dn.lower(): names for dn, names in own.organizations.items()}, groups)
        known = bool(roles) and (seen is not None or not own.organizations)
        held = list(dict.fromkeys(roles))
        subject, by_dn = _subject(found[0]), _by_dn(found[0])
        formerly = by_dn if subject != by_dn else ""
        person = Person(name.strip().lower(), str(full_name), held, seen, subject, formerly)
        return str(found[0]["dn"]), person if known else None

    def _groups_naming(self, connection: ldap3.Connection, dn: str) -> set[str]:
        """Groups whose `member` is the person, for directories without memberOf."""
        connection.search(self.settings.base, f"(member={escape_filter_chars(dn)})", attributes=["1.1"])
        return {
            str(one["dn"]).lower() for one in connection.response or [] if one.get("type") == "searchResEntry"
        }

    @contextmanager
    def _connection(self, dn: str, password: str) -> Iterator[ldap3.Connection]:
        """A bound connection, closed at the end. Raises LDAPBindError for a wrong password."""
        own = self.settings
        tls = None
        if own.url.startswith("ldaps") or own.starttls:
            context(own.ca)  # says in words where the certificate cannot be read
            tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(own.ca) if own.ca else None)
        server = ldap3.Server(own.url, tls=tls, connect_timeout=_TIMEOUT, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, dn, password, receive_timeout=_TIMEOUT, read_only=True)
        with opened(connection, starttls=own.starttls):
            if not connection.bind():
                raise LDAPBindError(str(connection.result.get("description")))
            yield connection


def _subject(entry: dict[str, Any]) -> str:
    """What names the entry for good. Its DN where the server shows neither of the two: a person who is moved is then somebody
    else, and an entry made anew in the same place is not."""
    raw = entry["raw_attributes"]
    if entry_uuid := next(iter(raw.get(_ENTRY) or ()), b""):
        return f"{_ENTRY}|{entry_uuid.decode('ascii', 'replace').lower()}"
    if len(object_guid := next(iter(raw.get(_OBJECT) or ()), b"")) == 16:
        return f"{_OBJECT}|{UUID(bytes_le=object_guid)}"
    return _by_dn(entry)


def _by_dn(entry: dict[str, Any]) -> str:
    return f"dn|{str(entry['dn']).lower()}"


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
