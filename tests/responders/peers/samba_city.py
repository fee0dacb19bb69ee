"""Makes a Samba Active Directory domain for one test; run by Debian's own python3, which has samba's modules.

usage: /usr/bin/python3 samba_city.py FOLDER ADDRESS PASSWORD — passwords of all accounts are PASSWORD. Prints the robot's
rights as it sets them. File shares are left out (their ACLs need extended attributes that a container has not), the
directory and the KDC are the real ones.
"""

import logging
import sys
from pathlib import Path

from samba import sd_utils
from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

REALM, BASE = "CITY.EXAMPLE.JP", "DC=city,DC=example,DC=jp"
USERS = f"CN=Users,{BASE}"
# [MS-ADA] / [MS-ADTS] 5.1.3.2: attribute and extended-right GUIDs for object-specific access control entries
ACCOUNT_CONTROL = "bf967a68-0de6-11d0-a285-00aa003049e2"
MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"


def main(folder: str, address: str, password: str) -> None:
    """The domain, its accounts, and the robot's rights: nothing more than the guide in docs/response.md gives it."""
    logging.disable(logging.WARNING)
    parameters = LoadParm()
    for name, value in {
        "interfaces": f"{address}/8",  # the whole of 127/8 is loopback: each test has an address of its own
        "bind interfaces only": "yes",
        "server services": "ldap, kdc",
        "tls keyfile": f"{folder}/node.key",
        "tls certfile": f"{folder}/node.pem",
        "tls cafile": f"{folder}/ca.pem",
        "log file": f"{folder}/samba.log",
        "pid directory": f"{folder}/run",
        "ncalrpc dir": f"{folder}/run/ncalrpc",
        "winbindd socket directory": f"{folder}/run/winbindd",
        "ntp signd socket directory": f"{folder}/run/ntp_signd",
    }.items():
        parameters.set(name, value)
    Path(folder, "run").mkdir()
    provision(
        logging.getLogger("provision"),
        system_session(),
        targetdir=f"{folder}/ad",
        realm=REALM,
        domain="CITY",
        hostname="dc1",
        hostip=address,
        adminpass=password,
        dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
        serverrole="active directory domain controller",
        dns_backend="NONE",
        lp=parameters,
        skip_sysvolacl=True,
    )
    own = LoadParm()
    own.load(f"{folder}/ad/etc/smb.conf")
    directory = SamDB(f"{folder}/ad/private/sam.ldb", session_info=system_session(), lp=own)
    for account in ("t.yamada", "k.ito", "s.kato", "hinomi"):
        directory.newuser(account, password, useusernameascn=True)
    directory.newgroup("privileged")
    directory.add_remove_group_members("privileged", ["t.yamada", "k.ito", "s.kato"])
    robot = directory.search(USERS, expression="(sAMAccountName=hinomi)", attrs=["objectSid"])
    sid = directory.schema_format_value("objectSID", robot[0]["objectSID"][0]).decode()
    rights = sd_utils.SDUtils(directory)
    for person in (f"CN={name},{USERS}" for name in ("t.yamada", "k.ito", "s.kato")):
        rights.dacl_add_ace(person, f"(OA;;WP;{ACCOUNT_CONTROL};;{sid})")
        rights.dacl_add_ace(person, f"(OA;;CR;{RESET_PASSWORD};;{sid})")
    rights.dacl_add_ace(f"CN=privileged,{USERS}", f"(OA;;WP;{MEMBER};;{sid})")


if __name__ == "__main__":
    main(*sys.argv[1:])
