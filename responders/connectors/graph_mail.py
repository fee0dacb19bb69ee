"""Exchange Online through Graph: a message is taken out of the mailboxes, and put back; inbox rules as in `entra_graph`.

Facts: Microsoft Graph v1.0: GET /users/{id}/messages?$filter=internetMessageId eq '…' (all folders but the recoverable
items), POST /users/{id}/messages/{id}/move {"destinationId": "recoverableitemsdeletions"}, header `Prefer:
IdType="ImmutableId"` (the id stays over a move), POST /$batch with at most 20 requests, GET
/groups/{id}/transitiveMembers/microsoft.graph.user with @odata.nextLink. Rights: GroupMember.Read.All, and for the
mailboxes the Exchange roles `Application Mail.ReadWrite` and `Application MailboxSettings.ReadWrite` over a management scope
(RBAC for Applications; the same rights granted in Entra ID would reach every mailbox). Application access policies are what
it replaces: "Don't create new App Access Policies" (Microsoft Learn, New-ApplicationAccessPolicy).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from hinomi import pauses
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.identity import digest
from responders.connectors.entra_graph import Cloud, GraphAccess, graph
from responders.connectors.protocol import Done, Kind
from responders.connectors.web_api import WebApi

_AT_ONCE = 20  # requests that one batch may hold
_MOST = 5_000  # mailboxes
_AWAY = "recoverableitemsdeletions"
_SELECT = "$select=id,parentFolderId"


class GraphMail(GraphAccess):
    """group: object id of the group whose members' mailboxes are searched; domain: of the accounts of inbox rules."""

    kind: Literal["graph_mail"]
    group: str


@dataclass(frozen=True, slots=True)
class Mail:
    """`mail.purge` with {message}, `mail.remove_rules` with {account}. only: the copies that were approved, or that were found when the
    act began where nobody could be told how many there are."""

    settings: GraphMail
    only: frozenset[str] | None = None

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        return action == "mail.purge"

    def within(self, extent: Collection[str]) -> "Mail":
        """See `Searching`: a copy that came since is no part of what was approved."""
        return replace(self, only=frozenset(extent))

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """In how many mailboxes the message lies."""
        if action != "mail.purge":
            return self._rules.plan(action, values)
        found = self.look(action, values)["messages"]
        extent = tuple(map(_named, found))
        if not found:
            return Done("どの受信箱にもありません。", "it is in no mailbox", changed=False, extent=extent)
        ja, en = f"{len(found)} 通を隔離します。", f"take {len(found)} messages out of the mailboxes"
        return Done(ja, en, extent=extent)

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Where each copy lies."""
        if action != "mail.purge":
            return self._rules.look(action, values)
        with graph(self.settings) as api:
            return {"messages": self._own(self._found(api, _message(values)))}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Move every copy to where people do not see it; what came since the approval stays, and is told."""
        if action != "mail.purge":
            return self._rules.act(action, values)
        with graph(self.settings) as api:
            there = self._found(api, _message(values))
            found = self._own(there)
            self._move(api, [(one["user"], one["id"], _AWAY) for one in found])
        since = _since(len(there) - len(found))
        if not found:
            words = "どの受信箱にもありませんでした。", "it was in no mailbox"
            return Done(words[0] + since[0], words[1] + since[1], changed=False)
        return Done(
            f"{len(found)} 通を隔離しました。{since[0]}",
            f"took {len(found)} messages out of the mailboxes{since[1]}",
        )

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether no copy is left of those that were approved."""
        if action != "mail.purge":
            return self._rules.verify(action, values)
        return not self.look(action, values)["messages"]

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Every copy back into its folder."""
        if action != "mail.purge":
            return self._rules.undo(action, values, before)
        with graph(self.settings) as api:
            there = {one["id"] for one in self._found(api, _message(values))}
            back = [one for one in before["messages"] if one["id"] not in there]
            self._move(api, [(one["user"], one["id"], one["folder"]) for one in back])
        return Done(f"{len(back)} 通を元に戻しました。", f"put {len(back)} messages back")

    def health(self) -> str:
        """Signs in and reads the group."""
        try:
            with graph(self.settings) as api:
                self._people(api)
        except HinomiError as error:
            return error.ja
        return ""

    def _own(self, found: list[dict[str, str]]) -> list[dict[str, str]]:
        return [one for one in found if self.only is None or _named(one) in self.only]

    @property
    def _rules(self) -> Cloud:
        return Cloud(self.settings)

    def _people(self, api: WebApi) -> list[str]:
        path = f"/v1.0/groups/{quote(self.settings.group, safe='')}/transitiveMembers/microsoft.graph.user"
        asked, people = f"{path}?$select=id&$top=999", list[str]()
        while asked and len(people) < _MOST:
            said = api.call("GET", asked)
            people += [str(one["id"]) for one in said["value"]]
            following = urlsplit(str(said.get("@odata.nextLink", "")))  # the host stays ours
            asked = f"{following.path}?{following.query}" if following.path else ""
        return people

    def _found(self, api: WebApi, message: str) -> list[dict[str, str]]:
        wanted = quote(f"internetMessageId eq '{message}'")
        people = self._people(api)
        asked = [
            ("GET", f"/users/{quote(one, safe='')}/messages?$filter={wanted}&{_SELECT}", None)
            for one in people
        ]
        found = []
        for person, said in zip(people, self._batch(api, asked), strict=True):
            found += [
                {"user": person, "id": str(one["id"]), "folder": str(one["parentFolderId"])}
                for one in said.get("value", [])
            ]
        return found

    def _move(self, api: WebApi, moves: Sequence[tuple[str, str, str]]) -> None:
        self._batch(
            api,
            [
                (
                    "POST",
                    f"/users/{quote(user, safe='')}/messages/{quote(one, safe='')}/move",
                    {"destinationId": folder},
                )
                for user, one, folder in moves
            ],
        )

    def _batch(
        self, api: WebApi, asked: Sequence[tuple[str, str, dict[str, str] | None]]
    ) -> list[dict[str, Any]]:
        """The answers in the order of the questions. Raises for the first that failed; the rest is done again."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(asked), _AT_ONCE):
            part = asked[start : start + _AT_ONCE]
            said = api.call(
                "POST", "/v1.0/$batch", json={"requests": [_request(n, *one) for n, one in enumerate(part)]}
            )
            by_id = {str(one["id"]): one for one in said["responses"]}
            answers += [_answer(by_id[str(n)]) for n in range(len(part))]
        return answers


def _named(one: Mapping[str, str]) -> str:
    """A copy by its mailbox and its own id, which stays over a move."""
    return digest("copy", one["user"], one["id"])


def _since(more: int) -> tuple[str, str]:
    """What is said of copies that came after the approval."""
    if not more:
        return "", ""
    return (
        f"承認のあとに {more} 通が見つかりました。承認されていないため、隔離していません。",
        f"; {more} more were found since the approval and stay where they are: nobody approved those",
    )


def _request(number: int, method: str, url: str, body: dict[str, str] | None) -> dict[str, Any]:
    headers = {"Prefer": 'IdType="ImmutableId"', "Content-Type": "application/json"}
    return {
        "id": str(number),
        "method": method,
        "url": url,
        "headers": headers,
        **({"body": body} if body else {}),
    }


def _answer(said: Mapping[str, Any]) -> dict[str, Any]:
    code = int(said["status"])
    if code == 404:
        return {}  # somebody without a mailbox, or a copy that is gone
    if code == 429 or code >= 500:
        after = pauses.asked(httpx.Headers(said.get("headers") or {}).get("retry-after"))
        raise DependencyDown(
            f"Microsoft Graph が {code} を返しました。", f"Graph answered {code}", after=after
        )
    if code >= 400:
        raise Refused(f"Microsoft Graph が操作を断りました({code})。", f"Graph refused: {code}")
    body = said.get("body")
    return dict(body) if isinstance(body, dict) else {}


def _message(values: Mapping[str, str]) -> str:
    """A Message-ID as it may stand between quotes. Raises Refused for anything that is none."""
    message = values["message"].strip()
    good = message.isascii() and message.isprintable() and not set(message) & set("' \"\\") and "@" in message
    if not good or len(message) > 998:
        raise Refused("Message-ID ではありません。", "not a Message-ID")
    return message if message.startswith("<") else f"<{message}>"


KIND = Kind("graph_mail", GraphMail, Mail, frozenset({"mail.purge", "mail.remove_rules"}))
