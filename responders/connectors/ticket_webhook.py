"""Tickets in Redmine, Jira or ServiceNow: one a run and subject, found again by a mark of ours before another is opened.

Facts: Redmine REST API (POST /issues.json with X-Redmine-API-Key, GET /issues.json?subject=~…, 201); Jira Cloud REST v3
(POST /rest/api/3/issue, GET /rest/api/3/issue/{key}, GET /rest/api/3/search/jql?jql=…&fields=…, which took the place of
/search in 2025, gives ids alone unless fields are asked for, and finds a new issue only after some seconds; basic
authentication with an API token); Jira Data Center REST v2 (/rest/api/2/issue, /rest/api/2/search; a personal access token
as bearer, or basic with a user); ServiceNow Table API (POST and GET /api/now/table/incident, sysparm_query, sysparm_fields,
201): the short description is meant to hold 80 characters ("Guide to ServiceNow Incident Text Fields"; what becomes of a longer
one hangs on the column, KB0685779), so the mark is its `correlation_id`. A filter that a system does not know, or that the user
may not use, may be ignored and answered with other tickets: the newest are asked for, and only one that bears the mark is ours. ServiceNow
leaves a field out that the user may not read: the ticket that was just opened is then known by its number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import Field

from hinomi import pauses, trust
from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.identity import digest
from hinomi.secret import Secret
from hinomi.text import inert
from responders.connectors.protocol import Done, Kind

_TIMEOUT = 20.0
_NEWEST = "100"
_REDMINE = {"status_id": "*", "sort": "id:desc", "limit": _NEWEST}
_SNOW = "/api/now/table/incident"
_JIRA = {"jira": "/rest/api/3", "jira_server": "/rest/api/2"}


class TicketSystem(Section):
    """system (`jira`: Cloud, `jira_server`: Data Center) and its address; user only where it signs in with one; fields:
    more of the ticket's own."""

    kind: Literal["ticket"]
    system: Literal["redmine", "jira", "jira_server", "servicenow"]
    url: str
    token: Secret
    user: str = ""
    project: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,60}$")
    fields: dict[str, Any] = Field(default_factory=dict)
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Tickets:
    """`ticket.open` with values {subject}. There is no undo: a person closes a ticket."""

    settings: TicketSystem
    opened: dict[str, str] = field(
        default_factory=dict
    )  # what this connector opened: Jira Cloud finds it seconds later, a ServiceNow user may not read our mark

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether there is one already."""
        found = self._found(values["subject"])
        if found:
            return Done(f"課題票 {found} が既にあります。", f"ticket {found} is there already", changed=False)
        return Done("課題票を起こします。", "open a ticket")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The ticket, if there is one."""
        return {"ticket": self._found(values["subject"])}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Open one, unless there is one with our mark."""
        found = self._found(values["subject"]) or self.opened.get(values["subject"], "")
        if found:
            return Done(f"課題票 {found} が既にありました。", f"ticket {found} was there", changed=False)
        path, body = self._new(inert(values["subject"], 200), _mark(values["subject"]))
        made = self._call("POST", path, body)
        own = made.get("result") if self.settings.system == "servicenow" else made
        self.opened[values["subject"]] = str((own or {}).get("number") or (own or {}).get("key") or "")
        return Done("課題票を起こしました。", "opened a ticket")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether one with our mark is there, or the one that was just opened can be read."""
        key = self.opened.get(values["subject"], "")
        if key and self.settings.system == "jira":
            return bool(self._call("GET", f"/rest/api/3/issue/{quote(key)}", params={"fields": "summary"}))
        if key and self.settings.system == "servicenow":
            asked = {"sysparm_query": f"number={key}", "sysparm_fields": "number"}
            said = self._call("GET", _SNOW, params={**asked, "sysparm_limit": "1"})
            return _marked(said.get("result"), key, lambda one: one["number"], "number") == key
        return bool(self._found(values["subject"]))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Nothing: what was written stays for people."""
        return Done("課題票は人が閉じてください。", "a person closes the ticket", changed=False)

    def health(self) -> str:
        """Looks for a ticket that is not there."""
        try:
            self._found("hinomi health check")
        except HinomiError as error:
            return error.ja
        return ""

    def _new(self, subject: str, mark: str) -> tuple[str, dict[str, Any]]:
        own, title = self.settings, f"{subject} [{mark}]"
        if own.system == "redmine":
            return "/issues.json", {"issue": {"project_id": own.project, "subject": title, **own.fields}}
        if own.system in _JIRA:
            fields = {"project": {"key": own.project}, "summary": title, "issuetype": {"name": "Task"}}
            return f"{_JIRA[own.system]}/issue", {"fields": {**fields, **own.fields}}
        return _SNOW, {"short_description": subject[:80], "correlation_id": mark, **own.fields}

    def _found(self, subject: str) -> str:
        mark, own = _mark(subject), self.settings
        if own.system == "redmine":
            said = self._call("GET", "/issues.json", params={"subject": f"~{mark}", **_REDMINE})
            return _marked(said.get("issues"), mark, lambda one: one["subject"], "id")
        if own.system in _JIRA:
            path = f"{_JIRA[own.system]}/search" + ("/jql" if own.system == "jira" else "")
            bounds = f'project = "{own.project}"'  # an unbounded query is refused
            jql = f'{bounds} AND summary ~ "{mark}" ORDER BY created DESC'
            said = self._call("GET", path, params={"jql": jql, "fields": "summary", "maxResults": _NEWEST})
            return _marked(said.get("issues"), mark, lambda one: one["fields"]["summary"], "key")
        query = {
            "sysparm_query": f"correlation_id={mark}^ORDERBYDESCsys_created_on",
            "sysparm_fields": "number,correlation_id",
        }
        said = self._call("GET", _SNOW, params={**query, "sysparm_limit": _NEWEST})
        return _marked(said.get("result"), mark, lambda one: one.get("correlation_id") or "", "number")

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        own = self.settings
        token = own.token.reveal()
        headers = {"X-Redmine-API-Key": token} if own.system == "redmine" else {}
        if own.system == "jira_server" and not own.user:
            headers = {"Authorization": f"Bearer {token}"}
        basic = (own.user, token) if own.system != "redmine" and own.user else None
        try:
            with httpx.Client(
                base_url=own.url, timeout=_TIMEOUT, verify=trust.context(own.ca), headers=headers, auth=basic
            ) as api:
                answer = api.request(method, path, json=body, params=params)
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise DependencyDown(
                f"課題票の仕組みに届きません({name})。", f"no ticket system: {name}"
            ) from None
        code = answer.status_code
        if code == 429 or code >= 500:
            raise DependencyDown(
                f"課題票の仕組みが {code} を返しました。",
                f"the ticket system answered {code}",
                after=pauses.asked(answer.headers.get("retry-after")),
            )
        if code >= 400:
            raise Refused(f"課題票の仕組みが断りました({code})。", f"the ticket system refused: {code}")
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise DependencyDown("課題票の仕組みの応答を読めません。", "it answered no JSON") from None
        return found


def _marked(found: Any, mark: str, text: Callable[[dict[str, Any]], str], name: str) -> str:
    """The name of the first ticket that bears the mark; empty for none, and for what a filter that was ignored let through."""
    try:
        return next((str(one[name]) for one in found or [] if mark in text(one)), "")
    except (KeyError, TypeError):
        raise DependencyDown(
            "課題票の仕組みの応答を読めません。", "its answer lacks what was asked for"
        ) from None


def _mark(subject: str) -> str:
    """A word that only this ticket has."""
    return f"hinomi{digest('ticket', subject)[:12]}"


KIND = Kind("ticket", TicketSystem, Tickets, frozenset({"ticket.open"}))
