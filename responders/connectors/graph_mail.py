"""Exchange Online through Graph: a message is taken out of the mailboxes, and put back; inbox rules as in `entra_graph`.

Facts: Microsoft Graph v1.0: GET /users/{id}/messages?$filter=internetMessageId eq '…' (all folders but the recoverable
items), POST /users/{id}/messages/{id}/move {"destinationId": "recoverableitemsdeletions"}, header `Prefer:
IdType="ImmutableId"` (the id stays over a move), POST /$batch with at most 20 requests, GET
/groups/{id}/transitiveMembers/microsoft.graph.user with @odata.nextLink. Rights: GroupMember.Read.All, and for the
mailboxes the Exchange roles `Application Mail.ReadWrite` and `Application MailboxSettings.ReadWrite` over a management scope
(RBAC for Applications; the same rights granted in Entra ID would reach every mailbox). Application access policies are what
it replaces: "Don't create new App Access Policies" (Microsoft Learn, New-ApplicationAccessPolicy).
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from hinomi import pauses
from hinomi.errors import DependencyDown, Refused
from hinomi.identity import digest, is_message_id
from hinomi.words import Words
from responders.connectors.found import Counted, Divided, Found
from responders.connectors.graph_access import GraphAccess, graph
from responders.connectors.inbox_rules import Rules
from responders.connectors.protocol import Kind
from responders.connectors.web_api import WebApi

_AT_ONCE = 20  # requests that one batch may hold
_MOST = 5_000  # mailboxes
_AWAY = "recoverableitemsdeletions"
_SELECT = "$select=id,parentFolderId"
_WORDS = Counted(
    counter="通",
    plan=Words("{n} 通を隔離します。", "take {n} messages out of the mailboxes"),
    did=Words("{n} 通を隔離しました。", "took {n} messages out of the mailboxes"),
    none=Words("どの受信箱にもありません。", "it is in no mailbox"),
    back=Words("{n} 通を元に戻しました。", "put {n} messages back"),
)
Copy = Mapping[str, str]


class GraphMail(GraphAccess):
    """group: object id of the group whose members' mailboxes are searched; domain: of the accounts of inbox rules."""

    kind: Literal["graph_mail"]
    group: str


@dataclass(frozen=True, slots=True)
class Copies:
    """`mail.purge`: a message in the mailboxes. A copy is its mailbox, its id and its folder. See `found.Search`."""

    settings: GraphMail

    @property
    def words(self) -> Counted:
        """What is said."""
        return _WORDS

    def opened(self) -> AbstractContextManager[WebApi]:
        """A token."""
        return graph(self.settings)

    def find(self, api: WebApi, value: str) -> list[Copy]:
        """In all mailboxes of the group."""
        wanted = quote(f"internetMessageId eq '{_message(value)}'")
        people = self._people(api)
        asked = [
            ("GET", f"/users/{quote(one, safe='')}/messages?$filter={wanted}&{_SELECT}", None)
            for one in people
        ]
        found: list[Copy] = []
        for person, said in zip(people, self._batch(api, asked), strict=True):
            found += [
                {"user": person, "id": str(one["id"]), "folder": str(one["parentFolderId"])}
                for one in said.get("value", [])
            ]
        return found

    def names(self, thing: Copy) -> tuple[str, ...]:
        """Its mailbox and its own id, which stays over a move."""
        return (digest("copy", thing["user"], thing["id"]),)

    def take(self, api: WebApi, things: Sequence[Copy]) -> None:
        """Move each to where people do not see it."""
        self._move(api, [(one["user"], one["id"], _AWAY) for one in things])

    def back(self, api: WebApi, value: str, before: Mapping[str, Any]) -> int:
        """Each into its folder, unless it lies in one already."""
        there = {one["id"] for one in self.find(api, value)}
        back = [one for one in before["messages"] if one["id"] not in there]
        self._move(api, [(one["user"], one["id"], one["folder"]) for one in back])
        return len(back)

    def journal(self, things: Sequence[Copy]) -> dict[str, Any]:
        """Where each copy lies."""
        return {"messages": [dict(one) for one in things]}

    def healthy(self, api: WebApi) -> None:
        """Reads the group."""
        self._people(api)

    def _people(self, api: WebApi) -> list[str]:
        path = f"/v1.0/groups/{quote(self.settings.group, safe='')}/transitiveMembers/microsoft.graph.user"
        asked, people = f"{path}?$select=id&$top=999", list[str]()
        while asked and len(people) < _MOST:
            said = api.call("GET", asked)
            people += [str(one["id"]) for one in said["value"]]
            following = urlsplit(str(said.get("@odata.nextLink", "")))  # the host stays ours
            asked = f"{following.path}?{following.query}" if following.path else ""
        return people

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


def _message(value: str) -> str:
    """A Message-ID as it may stand between quotes. Raises Refused for anything that is none."""
    message = value.strip()
    if not is_message_id(message):
        raise Refused("Message-ID ではありません。", "not a Message-ID")
    return message if message.startswith("<") else f"<{message}>"


def _make(settings: GraphMail) -> Divided:
    return Divided({"mail.purge": Found(Copies(settings)), "mail.remove_rules": Found(Rules(settings))})


KIND = Kind("graph_mail", GraphMail, _make, frozenset({"mail.purge", "mail.remove_rules"}))
