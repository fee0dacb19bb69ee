"""A real Active Directory from Debian's Samba (LDAP, LDAPS, KDC) on a loopback address of its own, for a module of tests.

Provisioning takes some ten seconds. The KDC wants port 88 and LDAPS port 636, so no port can be chosen; the address can.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3

from hinomi.ldap import opened
from ops.elastic.certificates import Authority
from tests.responders.peers.real import listening
from tests.shared import missing, program

BASE = "DC=city,DC=example,DC=jp"
USERS = f"CN=Users,{BASE}"
PRIVILEGED = f"CN=privileged,{USERS}"
PASSWORD = "Password-for-tests-1"
_PYTHON = "/usr/bin/python3"
_KEPT_BY_THE_SERVER = {"whenChanged", "uSNChanged", "lastLogon", "lastLogonTimestamp", "logonCount"}
"""When and in which order entries were written last, and each sign-in, the robot's own too ([MS-ADTS] 3.1.1.3.1.5, [MS-ADA1]):
no client may set them, an undo changes them."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The running server. `section`: a connector's, with the robot's rights alone."""

    address: str
    folder: Path

    @property
    def section(self) -> dict[str, Any]:
        """Of `respond.connectors`; the robot's password is in HINOMI_AD."""
        return {
            "kind": "ldap",
            "url": f"ldaps://{self.address}",
            "base": BASE,
            "bind_dn": f"CN=hinomi,{USERS}",
            "password": "env:HINOMI_AD",
            "method": "active_directory",
            "account_attribute": "sAMAccountName",
            "privileged_groups": [PRIVILEGED],
            "ca": str(self.folder / "ca.pem"),
        }

    def entries(self) -> dict[str, dict[str, list[bytes]]]:
        """Every attribute of every entry that the administrator can read, but for what each write changes."""
        server = ldap3.Server(f"ldap://{self.address}", get_info=ldap3.NONE)
        connection = ldap3.Connection(server, f"CN=Administrator,{USERS}", PASSWORD)
        with opened(connection, starttls=True):
            assert connection.bind(), connection.result
            found = connection.extend.standard.paged_search(
                BASE, "(objectClass=*)", attributes=["*"], paged_size=500, generator=False
            )
        return {str(one["dn"]): _comparable(one["raw_attributes"]) for one in found if "dn" in one}

    def kerberos(self, cache: str, *command: str, password: str = "") -> bool:
        """Whether kinit, kvno … succeed with the tickets of that cache."""
        environment = {
            **os.environ,
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5CCNAME": f"FILE:{self.folder / cache}",
            "LC_ALL": "C",
        }
        went = subprocess.run(
            [program(command[0]), *command[1:]],
            env=environment,
            input=password + "\n",
            text=True,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return went.returncode == 0


def _comparable(attributes: Mapping[str, list[bytes]]) -> dict[str, list[bytes]]:
    return {name: sorted(values) for name, values in attributes.items() if name not in _KEPT_BY_THE_SERVER}


@contextmanager
def domain(folder: Path) -> Iterator[Domain]:
    """Provision, start, stop. Skips where Samba's directory is not installed."""
    samba = program("samba")
    program("kinit")
    address = "127." + ".".join(str(secrets.randbelow(254) + 1) for _ in range(3))
    Authority().write(folder, address)
    script = Path(__file__).with_name("samba_city.py")
    made = subprocess.run(
        [_PYTHON, "-I", script, folder, address, PASSWORD],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if made.returncode:
        missing(f"Samba cannot provision a domain here: {made.stderr[-300:]}")
    (folder / "krb5.conf").write_text(
        "[libdefaults]\n default_realm = CITY.EXAMPLE.JP\n dns_lookup_kdc = false\n rdns = false\n"
        f"[realms]\n CITY.EXAMPLE.JP = {{\n  kdc = {address}\n }}\n"
    )
    command = [samba, "-i", "-M", "single", "-s", f"{folder}/ad/etc/smb.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(address, process)
            yield Domain(address, folder)
        finally:
            process.terminate()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not (listening(636, address) and listening(88, address)):
        assert process.poll() is None and time.monotonic() < deadline, "Samba did not start"
        time.sleep(0.1)
