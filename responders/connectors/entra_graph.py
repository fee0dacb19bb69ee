"""Microsoft Entra ID and Exchange Online through Graph: sign-in blocked, sessions ended, inbox rules that leak disabled.

Facts: Microsoft Graph v1.0: GET/PATCH /users/{id} (accountEnabled, 204), POST /users/{id}/revokeSignInSessions,
signInSessionsValidFromDateTime, /users/{id}/mailFolders/inbox/messageRules (isEnabled, actions.forwardTo, redirectTo,
forwardAsAttachmentTo, delete, permanentDelete); client-credential tokens with scope https://graph.microsoft.com/.default;
429 and 503 carry Retry-After. Rights: User.EnableDisableAccount.All, User.RevokeSessions.All (Microsoft Learn names it the
least of an application, and no higher one), User.Read.All, MailboxSettings.ReadWrite.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from hinomi.config import Section
from hinomi.errors import HinomiError, Refused
from hinomi.secret import Secret
from responders.connectors.protocol import Done, Kind
from responders.connectors.web_api import WebApi, bearer, opened

_FRESH = timedelta(minutes=15)
_SCOPE = "https://graph.microsoft.com/.default"
_SESSIONS = "cloud_directory.end_sessions"
"""Ended anew however lately they were: who was signed out a moment ago may have signed in again since."""
_LEAKS = ("forwardTo", "redirectTo", "forwardAsAttachmentTo", "delete", "permanentDelete")


class GraphAccess(Section):
    """How a connector signs in to Graph."""

    kind: str
    domain: str
    token_url: str
    client_id: str
    client_secret: Secret
    url: str = "https://graph.microsoft.com"
    ca: Path | None = None


class EntraGraph(GraphAccess):
    """domain: of the accounts, `t.yamada` becomes `t.yamada@domain`."""

    kind: Literal["entra_graph"]


@contextmanager
def graph(own: GraphAccess) -> Iterator[WebApi]:
    """A token for one errand."""
    form = {"grant_type": "client_credentials", "client_id": own.client_id, "scope": _SCOPE}
    with opened("Microsoft Graph", own.url, own.ca) as api:
        bearer(api, own.token_url, {**form, "client_secret": own.client_secret.reveal()})
        yield api


@dataclass(frozen=True, slots=True)
class Cloud:
    """Values: {account}."""

    settings: GraphAccess

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Looks the account up."""
        with graph(self.settings) as api:
            user = self._user(api, values)
            if action != _SESSIONS and self._so(api, action, user):
                return Done(
                    f"{user['name']} は既にそうなっています。", f"{user['name']} is so already", changed=False
                )
        return Done(*_words(action, user["name"], "します", "would be"))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """What is needed to put it back."""
        with graph(self.settings) as api:
            user = self._user(api, values)
            rules = [rule["id"] for rule in self._leaks(api, user)] if action == "mail.remove_rules" else []
            return {"id": user["id"], "enabled": user["enabled"], "rules": rules}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Do it, unless it is so already."""
        with graph(self.settings) as api:
            user = self._user(api, values)
            if action != _SESSIONS and self._so(api, action, user):
                return Done(
                    f"{user['name']} は既にそうなっていました。", f"{user['name']} was so", changed=False
                )
            if action == "cloud_directory.disable_account":
                api.call("PATCH", f"/v1.0/users/{user['id']}", json={"accountEnabled": False})
            elif action == _SESSIONS:
                api.call("POST", f"/v1.0/users/{user['id']}/revokeSignInSessions")
            else:
                for rule in self._leaks(api, user):
                    self._rule(api, user["id"], rule["id"], enabled=False)
        return Done(*_words(action, user["name"], "しました", "was"))

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the account is so now."""
        with graph(self.settings) as api:
            return self._so(api, action, self._user(api, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Back to what was; ended sessions begin with the next sign-in."""
        identity, account = str(before["id"]), values["account"]
        with graph(self.settings) as api:
            if action == "cloud_directory.disable_account" and before["enabled"]:
                api.call("PATCH", f"/v1.0/users/{identity}", json={"accountEnabled": True})
            for rule in before["rules"]:
                self._rule(api, identity, str(rule), enabled=True)
        return Done(f"{account} を元に戻しました。", f"{account} is as it was")

    def health(self) -> str:
        """Signs in and reads one user."""
        try:
            with graph(self.settings) as api:
                api.call("GET", "/v1.0/users", params={"$top": "1"})
        except HinomiError as error:
            return error.ja
        return ""

    def _so(self, api: WebApi, action: str, user: Mapping[str, Any]) -> bool:
        if action == "cloud_directory.disable_account":
            return not user["enabled"]
        if action == _SESSIONS:
            since = user.get("since")
            return bool(since) and datetime.now(UTC) - datetime.fromisoformat(str(since)) < _FRESH
        return not self._leaks(api, user)

    def _user(self, api: WebApi, values: Mapping[str, str]) -> dict[str, Any]:
        account = values["account"].rsplit("\\", 1)[-1].split("@", 1)[0]
        if not account or not account.replace(".", "").replace("-", "").replace("_", "").isalnum():
            raise Refused(f"「{account}」はアカウント名ではありません。", f'"{account}" is no account name')
        name = f"{account}@{self.settings.domain}"
        select = "id,userPrincipalName,accountEnabled,signInSessionsValidFromDateTime"
        found = api.call("GET", f"/v1.0/users/{quote(name)}", params={"$select": select})
        return {
            "id": quote(str(found["id"]), safe=""),
            "name": name,
            "enabled": bool(found["accountEnabled"]),
            "since": found.get("signInSessionsValidFromDateTime"),
        }

    def _leaks(self, api: WebApi, user: Mapping[str, Any]) -> list[dict[str, Any]]:
        rules = api.call("GET", f"/v1.0/users/{user['id']}/mailFolders/inbox/messageRules")["value"]
        return [
            rule
            for rule in rules
            if rule.get("isEnabled") and any(rule.get("actions", {}).get(name) for name in _LEAKS)
        ]

    def _rule(self, api: WebApi, user: str, rule: str, *, enabled: bool) -> None:
        path = f"/v1.0/users/{user}/mailFolders/inbox/messageRules/{quote(rule, safe='')}"
        api.call("PATCH", path, json={"isEnabled": enabled})


def _words(action: str, name: str, ja: str, en: str) -> tuple[str, str]:
    return {
        "cloud_directory.disable_account": (
            f"{name} のサインインを停止{ja}。",
            f"sign-in of {name} {en} blocked",
        ),
        _SESSIONS: (f"{name} の接続を切断{ja}。", f"sessions of {name} {en} ended"),
    }.get(action, (f"{name} の受信箱の規則を停止{ja}。", f"inbox rules of {name} {en} disabled"))


KIND = Kind(
    "entra_graph",
    EntraGraph,
    Cloud,
    frozenset({"cloud_directory.disable_account", _SESSIONS, "mail.remove_rules"}),
)
