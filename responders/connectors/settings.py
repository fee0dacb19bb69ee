"""`connectors:` of the configuration: targets by name."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from hinomi.config import Section
from hinomi.secret import Secret


class LdapDirectory(Section):
    """A directory. method: how an account is disabled: `active_directory` sets ACCOUNTDISABLE in userAccountControl,
    `ppolicy` sets pwdAccountLockedTime (OpenLDAP with slapo-ppolicy). The bind account needs to write just that, the
    password where it is to be reset, and `member` of the privileged groups (their DNs) that accounts are taken out of."""

    kind: Literal["ldap"]
    url: str
    base: str
    account_attribute: str = "uid"
    bind_dn: str
    password: Secret
    method: Literal["active_directory", "ppolicy"] = "active_directory"
    privileged_groups: list[str] = Field(default_factory=list)
    starttls: bool = False
    ca: Path | None = None


class FortiGate(Section):
    """A FortiGate's REST API. group: the address group that a deny policy uses; its user may edit addresses, and
    read and end VPN sessions (access profile: Firewall/Address read-write, VPN read-write), nothing else."""

    kind: Literal["fortigate"]
    url: str
    token: Secret
    group: str = "hinomi-block"
    vdom: str = "root"
    ca: Path | None = None
