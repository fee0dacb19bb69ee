"""Six real targets at once: OpenLDAP, nftables in a network namespace, Squid, Unbound, BIND, a switch behind OpenSSH."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.responders.peers import real
from tests.responders.slapd import ADMINS, BASE, PRIVILEGED, ROBOT, directory

STEPS = """
  - evidence: {of: [user.name]}
  - {act: directory.disable_account, value: user.name}
  - {act: directory.remove_from_groups, value: user.name}
  - parallel:
    - [{act: host_firewall.block_address, value: source.ip}]
    - [{act: proxy.deny, value: url.domain}]
    - [{act: dns.sinkhole, value: dns.question.name}]
    - [{act: dns.sinkhole, value: dns.question.name, target: zone}]
    - [{act: switch.shut_port, value: host.name}]
"""
ACTS = 7


@contextmanager
def targets(place: Path) -> Iterator[dict[str, real.Target]]:
    """By the name that a playbook calls them; the password of the directory's robot is in HINOMI_LDAP."""
    with ExitStack() as stack:
        found = {
            "host_firewall": stack.enter_context(real.nftables(place / "nft")),
            "proxy": stack.enter_context(real.squid(place / "squid")),
            "dns": stack.enter_context(real.unbound(place / "unbound")),
            "zone": stack.enter_context(real.bind(place / "bind")),
            "switch": stack.enter_context(real.device(place / "switch")),
        }
        ldap = stack.enter_context(directory(place / "ldap", PRIVILEGED))
        section = {"kind": "ldap", "url": ldap.url, "base": BASE, "bind_dn": ROBOT, "method": "ppolicy"}
        section |= {"password": "env:HINOMI_LDAP", "privileged_groups": [ADMINS]}
        found["directory"] = real.Target(section, ldap.whole)
        yield found
