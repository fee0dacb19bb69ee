"""Inbox rules that leak or hide, through Graph: disabled, and enabled again. Facts and rights: `entra_graph`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hinomi.words import Words
from responders.connectors.found import Counted
from responders.connectors.graph_access import GraphAccess, graph, user
from responders.connectors.web_api import WebApi

Rule = tuple[str, str]
"""(whose, its id)."""
_LEAKS = ("forwardTo", "redirectTo", "forwardAsAttachmentTo", "delete", "permanentDelete")
_WORDS = Counted(
    counter="件",
    plan=Words("{v} の受信箱の規則 {n} 件を停止します。", "disable {n} inbox rules of {v}"),
    did=Words("{v} の受信箱の規則 {n} 件を停止しました。", "disabled {n} inbox rules of {v}"),
    none=Words("{v} に停止する受信箱の規則はありません。", "{v} has no inbox rule to disable"),
    back=Words("{v} の受信箱の規則 {n} 件を元に戻しました。", "enabled {n} inbox rules of {v} again"),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """`mail.remove_rules`: those that are enabled and send elsewhere or delete. See `found.Search`."""

    settings: GraphAccess

    @property
    def words(self) -> Counted:
        """What is said."""
        return _WORDS

    def opened(self) -> AbstractContextManager[WebApi]:
        """A token."""
        return graph(self.settings)

    def find(self, api: WebApi, value: str) -> list[Rule]:
        """Of the account."""
        whose = user(api, value, self.settings.domain).id
        return [
            (whose, str(rule["id"]))
            for rule in _rules(api, whose)
            if rule.get("isEnabled") and any(rule.get("actions", {}).get(name) for name in _LEAKS)
        ]

    def names(self, thing: Rule) -> tuple[str, ...]:
        """Its id, which is its mailbox's own."""
        return (thing[1],)

    def take(self, api: WebApi, things: Sequence[Rule]) -> None:
        """Disable each."""
        for whose, rule in things:
            _enabled(api, whose, rule, enabled=False)

    def back(self, api: WebApi, value: str, before: Mapping[str, Any]) -> int:
        """Enable each again that is disabled; what somebody deleted meanwhile is passed over."""
        if not before["rules"]:
            return 0
        whose = str(before["id"])
        off = [str(rule["id"]) for rule in _rules(api, whose) if not rule.get("isEnabled")]
        back = [rule for rule in off if rule in before["rules"]]
        for rule in back:
            _enabled(api, whose, rule, enabled=True)
        return len(back)

    def journal(self, things: Sequence[Rule]) -> dict[str, Any]:
        """Whose, and which."""
        return {"id": things[0][0] if things else "", "rules": [rule for _, rule in things]}

    def healthy(self, api: WebApi) -> None:
        """Reads one user."""
        api.call("GET", "/v1.0/users", params={"$top": "1"})


def _rules(api: WebApi, whose: str) -> list[dict[str, Any]]:
    """All of a mailbox."""
    return list(api.call("GET", f"/v1.0/users/{whose}/mailFolders/inbox/messageRules")["value"])


def _enabled(api: WebApi, whose: str, rule: str, *, enabled: bool) -> None:
    path = f"/v1.0/users/{whose}/mailFolders/inbox/messageRules/{quote(rule, safe='')}"
    # its owner may delete it at any time
    api.call("PATCH", path, json={"isEnabled": enabled}, missing_ok=True)
