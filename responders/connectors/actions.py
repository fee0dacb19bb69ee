"""Every action that a playbook may name: what it is for, in words, and how far it reaches.

An action is abstract (`directory.disable_account`); which connector does it depends on what stands under
`respond.connectors` in the configuration. Its reach decides who must approve (`responders/playbooks/authority.yaml`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """How much stops when the action is done to one target."""

    RECORD = "record"
    """Nothing stops: a ticket, a note."""
    ACCOUNT = "account"
    ADDRESS = "address"
    ENDPOINT = "endpoint"
    MESSAGE = "message"
    SEGMENT = "segment"
    """A whole part of the network, or a cut towards LGWAN."""
    SERVICE = "service"
    """Something that residents use."""


@dataclass(frozen=True, slots=True)
class Action:
    """value: the key under which a target is handed to the connector; field: the ECS field it usually comes from.

    contains: whether it stops somebody, so that evidence comes before it and a person approves it; whole: its machine goes
    by the full name of the logs, where others go by the first part of it.
    """

    name: str
    value: str
    field: str
    reach: Reach
    ja: str
    en: str
    undoable: bool = True
    whole: bool = False

    @property
    def contains(self) -> bool:
        """Whether it changes what people can do."""
        return self.reach is not Reach.RECORD


def _action(
    name: str,
    value: str,
    field: str,
    reach: Reach,
    ja: str,
    en: str,
    *,
    undo: bool = True,
    whole: bool = False,
) -> Action:
    return Action(name, value, field, reach, ja, en, undo, whole)


_ALL = (
    _action(
        "directory.disable_account",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "アカウント {v} を停止する",
        "Disable account {v}",
    ),
    _action(
        "directory.reset_password",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "アカウント {v} のパスワードを無効にする(配られた Kerberos の切符は、アカウントの停止で止まる)",
        "Make the password of {v} useless (Kerberos tickets that are out end with disabling the account)",
        undo=False,
    ),
    _action(
        "directory.remove_from_groups",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "アカウント {v} を特権グループから外す",
        "Take {v} out of the privileged groups",
    ),
    _action(
        "cloud_directory.disable_account",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "クラウドのアカウント {v} のサインインを止める",
        "Block sign-in of the cloud account {v}",
    ),
    _action(
        "cloud_directory.end_sessions",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "クラウドのアカウント {v} の接続をすべて切る",
        "End all sessions of the cloud account {v}",
        undo=False,
    ),
    _action(
        "mail.remove_rules",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "{v} の受信箱の外部転送・削除の規則を止める",
        "Disable the inbox rules of {v} that forward outside or delete",
    ),
    _action(
        "mail.purge",
        "message",
        "email.message_id",
        Reach.MESSAGE,
        "メール {v} を受信箱から隔離する",
        "Take the message {v} out of the mailboxes",
    ),
    _action(
        "firewall.block_address",
        "address",
        "source.ip",
        Reach.ADDRESS,
        "アドレス {v} を遮断する",
        "Block address {v}",
    ),
    _action(
        "firewall.end_vpn_session",
        "account",
        "user.name",
        Reach.ACCOUNT,
        "{v} の VPN 接続を切る",
        "End the VPN sessions of {v}",
        undo=False,
    ),
    _action(
        "host_firewall.block_address",
        "address",
        "source.ip",
        Reach.ADDRESS,
        "サーバーの防火壁でアドレス {v} を遮断する",
        "Block address {v} in the server's firewall",
    ),
    _action(
        "host_firewall.isolate",
        "host",
        "host.name",
        Reach.SERVICE,
        "サーバー {v} を防火壁で切り離す(管理用の機械だけがつながる)",
        "Cut server {v} off by its own firewall (only the administrators' machines reach it)",
        whole=True,
    ),
    _action(
        "dns.sinkhole", "name", "dns.question.name", Reach.ADDRESS, "名前 {v} を引けなくする", "Sinkhole {v}"
    ),
    _action(
        "proxy.deny",
        "name",
        "url.domain",
        Reach.ADDRESS,
        "プロキシで {v} への通信を拒否する",
        "Deny {v} in the proxy",
    ),
    _action(
        "endpoint.isolate",
        "host",
        "host.name",
        Reach.ENDPOINT,
        "端末 {v} を隔離する",
        "Isolate machine {v}",
    ),
    _action(
        "switch.quarantine",
        "host",
        "host.name",
        Reach.ENDPOINT,
        "端末 {v} のつながるスイッチの口を隔離 VLAN に移す",
        "Move the switch port of {v} to the quarantine VLAN",
    ),
    _action(
        "switch.shut_port",
        "host",
        "host.name",
        Reach.ENDPOINT,
        "端末 {v} のつながるスイッチの口を閉じる",
        "Shut the switch port of {v}",
    ),
    _action(
        "router.cut_segment",
        "segment",
        "network.name",
        Reach.SEGMENT,
        "{v} の通信を境界で遮断する",
        "Cut {v} off at the border",
    ),
    _action(
        "storage.block_public",
        "bucket",
        "cloud.resource.id",
        Reach.SERVICE,
        "保管場所 {v} の一般公開を止める",
        "Shut {v} against public access",
    ),
    _action(
        "web.maintenance_page",
        "service",
        "url.domain",
        Reach.SERVICE,
        "{v} を静的なお知らせ頁に切り替える",
        "Switch {v} to a static notice page",
    ),
    _action(
        "ticket.open",
        "subject",
        "incident.title",
        Reach.RECORD,
        "課題票を起こす: {v}",
        "Open a ticket: {v}",
        undo=False,
    ),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ALL}
