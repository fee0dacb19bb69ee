"""Microsoft Entra ID and Exchange Online through Graph: sign-in blocked, sessions ended, inbox rules that leak disabled.

Facts: Microsoft Graph v1.0: GET/PATCH /users/{id} (accountEnabled, 204), POST /users/{id}/revokeSignInSessions,
signInSessionsValidFromDateTime, /users/{id}/mailFolders/inbox/messageRules (isEnabled, actions.forwardTo, redirectTo,
forwardAsAttachmentTo, delete, permanentDelete); client-credential tokens with scope https://graph.microsoft.com/.default;
429 and 503 carry Retry-After. Rights: User.EnableDisableAccount.All, User.RevokeSessions.All (Microsoft Learn names it the
least of an application, and no higher one), User.Read.All, MailboxSettings.ReadWrite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from responders.connectors.found import Divided, Found
from responders.connectors.graph_access import GraphAccess, User, graph, user
from responders.connectors.inbox_rules import Rules
from responders.connectors.protocol import Done, Kind
from responders.connectors.web_api import WebApi, trouble

_FRESH = timedelta(minutes=15)
_DISABLE = "cloud_directory.disable_account"
_SESSIONS = "cloud_directory.end_sessions"
"""Ended anew however lately they were: who was signed out a moment ago may have signed in again since."""
_RULES = "mail.remove_rules"


class EntraGraph(GraphAccess):
    """domain: of the accounts, `t.yamada` becomes `t.yamada@domain`."""

    kind: Literal["entra_graph"]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Sign-in and sessions. Values: {account}."""

    settings: GraphAccess

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the account up."""
        with graph(self.settings) as api:
            found = self._user(api, values)
            if action != _SESSIONS and not found.enabled:
                return Done(
                    f"{found.name} は既にそうなっています。", f"{found.name} is so already", changed=False
                )
        return Done(*_words(action, found.name, "します", "would be"))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """What is needed to put it back."""
        with graph(self.settings) as api:
            found = self._user(api, values)
            return {"id": found.id, "enabled": found.enabled}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Do it, unless it is so already."""
        with graph(self.settings) as api:
            found = self._user(api, values)
            if action == _SESSIONS:
                api.call("POST", f"/v1.0/users/{found.id}/revokeSignInSessions")
            elif not found.enabled:
                return Done(f"{found.name} は既にそうなっていました。", f"{found.name} was so", changed=False)
            else:
                api.call("PATCH", f"/v1.0/users/{found.id}", json={"accountEnabled": False})
        return Done(*_words(action, found.name, "しました", "was"))

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the account is so now."""
        with graph(self.settings) as api:
            found = self._user(api, values)
        if action != _SESSIONS:
            return not found.enabled
        return bool(found.since) and datetime.now(UTC) - datetime.fromisoformat(str(found.since)) < _FRESH

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Back to what was; ended sessions begin with the next sign-in."""
        account = values["account"]
        with graph(self.settings) as api:
            if action == _DISABLE and before["enabled"]:
                api.call("PATCH", f"/v1.0/users/{before['id']}", json={"accountEnabled": True})
        return Done(f"{account} を元に戻しました。", f"{account} is as it was")

    def health(self) -> str:
        """Signs in and reads one user."""
        return trouble(
            lambda: graph(self.settings), lambda api: api.call("GET", "/v1.0/users", params={"$top": "1"})
        )

    def _user(self, api: WebApi, values: Mapping[str, str]) -> User:
        return user(api, values["account"], self.settings.domain)


def _words(action: str, name: str, ja: str, en: str) -> tuple[str, str]:
    if action == _SESSIONS:
        return f"{name} の接続を切断{ja}。", f"sessions of {name} {en} ended"
    return f"{name} のサインインを停止{ja}。", f"sign-in of {name} {en} blocked"


def _make(settings: EntraGraph) -> Divided:
    cloud = Cloud(settings)
    return Divided({_DISABLE: cloud, _SESSIONS: cloud, _RULES: Found(Rules(settings))})


KIND = Kind("entra_graph", EntraGraph, _make, frozenset({_DISABLE, _SESSIONS, _RULES}))
