"""A real OpenLDAP from Debian with two accounts and a password policy, for one test."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ldap3

from hinomi.ldap import opened
from tests.e2e.tower import free_port
from tests.shared import program

BASE = "dc=city,dc=example,dc=jp"
ROBOT = f"cn=hinomi,{BASE}"
ROBOT_PASSWORD = "robot-password-for-tests"
PERSON_PASSWORD = "person-password-for-tests"
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/slapd.pid
database mdb
maxsize 10485760
suffix "{base}"
rootdn "cn=root,{base}"
directory {folder}/db
overlay ppolicy
ppolicy_default "cn=default,{base}"
access to attrs=pwdAccountLockedTime by dn.exact="{robot}" write by * none
access to attrs=member by dn.exact="{robot}" write by * none
access to attrs=userPassword by dn.exact="{robot}" =w by anonymous auth by * none
access to * by dn.exact="{robot}" read by anonymous auth
"""
_ENTRIES = """
dn: {base}
objectClass: dcObject
objectClass: organization
dc: city
o: city

dn: cn=default,{base}
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE

dn: {robot}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: hinomi
userPassword: {robot_password}

dn: uid=t.yamada,{base}
objectClass: inetOrgPerson
uid: t.yamada
cn: 山田 太郎
sn: 山田
userPassword: {person_password}

dn: uid=k.ito,{base}
objectClass: inetOrgPerson
uid: k.ito
cn: 伊藤 健
sn: 伊藤
userPassword: {person_password}
"""

ADMINS = f"cn=admins,{BASE}"
"""A privileged group: t.yamada is the second of three, so that its place among the others would show."""
PRIVILEGED = "".join(
    f"\n{line}"
    for line in (
        f"dn: {ADMINS}",
        "objectClass: groupOfNames",
        "cn: admins",
        *(f"member: {who},{BASE}" for who in ("uid=k.ito", "uid=t.yamada", "cn=hinomi")),
        "",
    )
)
_KEPT_BY_THE_SERVER = ("entryCSN:", "modifyTimestamp:", "modifiersName:")
"""Operational attributes that say when and by whom an entry was written last: each write changes them, an undo too, and no
client may set them (RFC 4512 3.4). Everything else is compared, password hashes and policy state included."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The running server."""

    url: str
    configuration: Path

    def whole(self) -> str:
        """Every attribute of every entry, user and operational, as the database holds it; but for what each write
        changes. Values of one attribute are a set (X.501): they come in one order."""
        said = subprocess.run(
            [program("slapcat"), "-f", self.configuration, "-o", "ldif-wrap=no"],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
        kept = [
            sorted(line for line in entry.splitlines() if not line.startswith(_KEPT_BY_THE_SERVER))
            for entry in said.split("\n\n")
        ]
        return "\n\n".join("\n".join(entry) for entry in kept)

    def can_sign_in(self, account: str) -> bool:
        """Whether the person's own password is accepted."""
        server = ldap3.Server(self.url, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, f"uid={account},{BASE}", PERSON_PASSWORD)
        with opened(connection, starttls=False):
            return bool(connection.bind())

    def locked(self, account: str) -> list[str]:
        """The values of the attribute that locks, as the directory holds them."""
        server = ldap3.Server(self.url, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROBOT, ROBOT_PASSWORD)
        with opened(connection, starttls=False):
            assert connection.bind(), connection.result
            connection.search(BASE, f"(uid={account})", attributes=["pwdAccountLockedTime"])
            found = connection.response[0]["raw_attributes"].get("pwdAccountLockedTime", [])
        return [value.decode() for value in found]


@contextmanager
def directory(folder: Path, more: str = "") -> Iterator[Directory]:
    """Start slapd on a loopback port of its own; stop it at the end. more: further entries as LDIF."""
    slapd, slapadd = program("slapd"), program("slapadd")
    (folder / "db").mkdir(parents=True)
    names = {"folder": folder, "base": BASE, "robot": ROBOT}
    passwords = {"robot_password": ROBOT_PASSWORD, "person_password": PERSON_PASSWORD}
    configuration, entries = folder / "slapd.conf", folder / "entries.ldif"
    configuration.write_text(_CONFIGURATION.format(**names), encoding="utf-8")
    entries.write_text(_ENTRIES.format(**names, **passwords) + more, encoding="utf-8")
    subprocess.run([slapadd, "-f", configuration, "-l", entries], check=True, capture_output=True, timeout=30)
    url = f"ldap://127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [slapd, "-f", configuration, "-h", url, "-d", "0"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(url)
            yield Directory(url, configuration)
        finally:
            process.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("slapd did not start")
