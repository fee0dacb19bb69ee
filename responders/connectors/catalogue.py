"""Configured targets by name, and which connector each kind has."""

from collections.abc import Mapping

from hinomi.errors import ContentError
from responders.connectors.defender_endpoint import Endpoint
from responders.connectors.fortigate_firewall import Firewall
from responders.connectors.ldap_directory import Directory
from responders.connectors.protocol import Connector
from responders.connectors.settings import DefenderEndpoint, FortiGate, LdapDirectory, Target

ACTIONS = {
    "directory.disable_account": "account",
    "firewall.block_address": "address",
    "endpoint.isolate": "host",
}
"""Every action that a playbook may name, and the value that it is limited and protected by."""


def connector(target: Target) -> Connector:
    """The connector of a configured target."""
    match target:
        case LdapDirectory():
            return Directory(target)
        case FortiGate():
            return Firewall(target)
        case DefenderEndpoint():
            return Endpoint(target)


def of_action(action: str, targets: Mapping[str, Target]) -> Connector | None:
    """The connector for `directory.disable_account` is the target named `directory`; None when not configured."""
    if action not in ACTIONS:
        raise ContentError(
            f"操作「{action}」はありません。使える操作: {', '.join(ACTIONS)}",
            f'no action "{action}"; there are: {", ".join(ACTIONS)}',
        )
    target = targets.get(action.partition(".")[0])
    return connector(target) if target else None
