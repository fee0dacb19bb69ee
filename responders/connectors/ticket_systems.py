"""Ticket systems: how one opens a ticket, finds it again by our mark, and says whether it could be found at all.

A crash between opening a ticket and writing that down leaves the mark alone to tell that it was opened. So nothing is opened where
tickets with the mark would not be seen: `findable` raises Refused, and a person opens it.

Facts: Redmine REST API (POST /issues.json with X-Redmine-API-Key, GET /issues.json?subject=~…, GET /issues/{id}.json, 201);
within a project a list is refused with 403 to who may not see its issues (Redmine's source, `find_optional_project`). Jira
Cloud REST v3 (POST /rest/api/3/issue, GET /rest/api/3/issue/{key}, GET /rest/api/3/search/jql?jql=…&fields=…, which took the
place of /search in 2025, gives ids alone unless fields are asked for, and finds a new issue after "a few seconds to minutes"); Jira Data
Center REST v2 (/rest/api/2/issue, /rest/api/2/search); both say by /mypermissions?projectKey=…&permissions=BROWSE_PROJECTS
whether the user sees the project. ServiceNow Table API (POST and GET /api/now/table/incident, sysparm_query, sysparm_fields,
201): the short description is meant to hold 80 characters ("Guide to ServiceNow Incident Text Fields"; what becomes of a longer
one hangs on the column, KB0685779), so the mark is its `correlation_id`; a field that the user may not read is left out. A
filter that a system does not know, or that the user may not use, may be ignored and answered with other tickets: the newest are
asked for, and only one that bears the mark is ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from hinomi.errors import DependencyDown, Refused

Call = Callable[..., dict[str, Any]]
"""Method, path, then `body` and `params`: the JSON object that was answered."""

_NEWEST = "100"
_SNOW = "/api/now/table/incident"


class System(Protocol):
    """One product's way."""

    def found(self, call: Call, mark: str) -> str:
        """The name of the ticket that bears the mark, empty for none."""
        ...

    def findable(self, call: Call) -> None:
        """Raises Refused where a ticket with our mark would not be found again."""
        ...

    def new(self, call: Call, subject: str, mark: str) -> str:
        """Open one; its name. Raises Refused where the mark cannot be read on it."""
        ...

    def there(self, call: Call, name: str) -> bool:
        """Whether the ticket of that name can be read."""
        ...


@dataclass(frozen=True, slots=True)
class Redmine:
    """project: its identifier; fields: more of the ticket's own."""

    project: str
    fields: Mapping[str, Any]

    def found(self, call: Call, mark: str) -> str:
        """Within the project, whatever its status."""
        where = {"project_id": self.project} if self.project else {}
        more = {"status_id": "*", "sort": "id:desc", "limit": _NEWEST}
        said = call("GET", "/issues.json", params={"subject": f"~{mark}", **where, **more})
        return _marked(said.get("issues"), mark, lambda one: one["subject"], "id")

    def findable(self, call: Call) -> None:
        """Who may not see the project's issues is refused the list itself."""

    def new(self, call: Call, subject: str, mark: str) -> str:
        """The mark stands behind the subject."""
        issue = {"project_id": self.project, "subject": f"{subject} [{mark}]", **self.fields}
        return str((call("POST", "/issues.json", body={"issue": issue}).get("issue") or {}).get("id") or "")

    def there(self, call: Call, name: str) -> bool:
        """By its number."""
        return bool(call("GET", f"/issues/{quote(name)}.json").get("issue"))


@dataclass(frozen=True, slots=True)
class Jira:
    """api: `/rest/api/3` (Cloud) or `/rest/api/2` (Data Center); search: what follows it to search."""

    project: str
    fields: Mapping[str, Any]
    api: str
    search: str

    def found(self, call: Call, mark: str) -> str:
        """Within the project: an unbounded query is refused."""
        jql = f'project = "{self.project}" AND summary ~ "{mark}" ORDER BY created DESC'
        asked = {"jql": jql, "fields": "summary", "maxResults": _NEWEST}
        said = call("GET", f"{self.api}/{self.search}", params=asked)
        return _marked(said.get("issues"), mark, lambda one: one["fields"]["summary"], "key")

    def findable(self, call: Call) -> None:
        """Who may open issues but not browse the project finds none."""
        asked = {"projectKey": self.project, "permissions": "BROWSE_PROJECTS"}
        held = call("GET", f"{self.api}/mypermissions", params=asked).get("permissions")
        browse = held.get("BROWSE_PROJECTS") if isinstance(held, dict) else None
        if not isinstance(browse, dict) or browse.get("havePermission") is not True:
            raise _unseen("企画の課題を見る権利(Browse projects)がない", "it may not browse the project")

    def new(self, call: Call, subject: str, mark: str) -> str:
        """The mark stands behind the summary."""
        summary, kind = f"{subject} [{mark}]", {"name": "Task"}
        fields = {"project": {"key": self.project}, "summary": summary, "issuetype": kind, **self.fields}
        return str(call("POST", f"{self.api}/issue", body={"fields": fields}).get("key") or "")

    def there(self, call: Call, name: str) -> bool:
        """By its key: Jira Cloud's search finds it seconds later."""
        return bool(call("GET", f"{self.api}/issue/{quote(name)}", params={"fields": "summary"}))


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """The mark is `correlation_id`."""

    fields: Mapping[str, Any]

    def found(self, call: Call, mark: str) -> str:
        """The newest with the mark."""
        said = self._asked(call, f"correlation_id={mark}^ORDERBYDESCsys_created_on", _NEWEST)
        return _marked(said, mark, lambda one: one.get("correlation_id") or "", "number")

    def findable(self, call: Call) -> None:
        """Seen on the newest ticket of whoever: there is one wherever people work with it, and it has the field or it is left out."""
        said = self._asked(call, "ORDERBYDESCsys_created_on", "1")
        if not said or "correlation_id" not in said[0]:
            raise _unseen(
                "課題票の correlation_id を読む権利がない(または読める課題票が1件もない)",
                "it may not read correlation_id, or no ticket at all",
            )

    def new(self, call: Call, subject: str, mark: str) -> str:
        """A short description that it keeps whole."""
        body = {"short_description": subject[:80], "correlation_id": mark, **self.fields}
        made = call("POST", _SNOW, body=body).get("result") or {}
        name = str(made.get("number") or "")
        if made.get("correlation_id") != mark:
            raise Refused(
                f"課題票 {name} を起こしましたが、その correlation_id を読めません。二度起こさないよう、人が確かめてください。",
                f"ticket {name} was opened, but its correlation_id cannot be read: a person must see to it",
            )
        return name

    def there(self, call: Call, name: str) -> bool:
        """By its number."""
        said = self._asked(call, f"number={name}", "1")
        return _marked(said, name, lambda one: one["number"], "number") == name

    def _asked(self, call: Call, query: str, most: str) -> list[dict[str, Any]]:
        asked = {"sysparm_query": query, "sysparm_fields": "number,correlation_id", "sysparm_limit": most}
        return list(call("GET", _SNOW, params=asked).get("result") or [])


def _unseen(ja: str, en: str) -> Refused:
    return Refused(
        f"課題票の仕組みの利用者に{ja}ため、起こした課題票を見付け直せません。二度起こすおそれがあるので、人が起こしてください。",
        f"the ticket system's user could not find its own tickets again ({en}): a person must open it",
    )


def _marked(found: Any, mark: str, text: Callable[[dict[str, Any]], str], name: str) -> str:
    """The name of the first ticket that bears the mark; empty for none, and for what a filter that was ignored let through."""
    try:
        return next((str(one[name]) for one in found or [] if mark in text(one)), "")
    except (KeyError, TypeError):
        raise DependencyDown(
            "課題票の仕組みの応答を読めません。", "its answer lacks what was asked for"
        ) from None
