"""Tickets in Redmine, Jira or ServiceNow: one a run and subject, found again by a mark of ours before another is opened.

What each system wants is in `ticket_systems.py`. Facts on signing in: Redmine by X-Redmine-API-Key; Jira Cloud by basic
authentication with an API token; Jira Data Center by a personal access token as bearer, or basic with a user; ServiceNow basic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import Field

from hinomi import pauses, trust
from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.identity import digest
from hinomi.secret import Secret
from hinomi.text import inert
from responders.connectors.protocol import Done, Kind
from responders.connectors.ticket_systems import Jira, Redmine, ServiceNow, System

_TIMEOUT = 20.0
_UNSEEN = timedelta(minutes=5)
"""Jira Cloud's search, as Atlassian says ("Search After Write with Search And Reconcile"): "a few seconds to minutes", most within
seconds; it can be told to look at once for ids that one knows, which after a crash nobody does."""


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
    )  # what this connector opened: Jira Cloud finds it seconds later

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether there is one already. Refused, as `act`, where it could not be found again."""
        found = self._found(values)
        if found:
            return Done(f"課題票 {found} が既にあります。", f"ticket {found} is there already", changed=False)
        self._system.findable(self._call)
        return Done("課題票を起こします。", "open a ticket")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The ticket, if there is one."""
        return {"ticket": self._found(values)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Open one, unless there is one with our mark. Raises Refused where it could not be found again: it would be opened a second time
        after a crash."""
        subject = values["subject"]
        found = self._found(values) or self.opened.get(subject, "")
        if found:
            return Done(f"課題票 {found} が既にありました。", f"ticket {found} was there", changed=False)
        self._system.findable(self._call)
        self.opened[subject] = self._system.new(self._call, inert(subject, 200), _mark(subject))
        return Done("課題票を起こしました。", "opened a ticket")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether one with our mark is there. Raises Refused where the one that was just opened cannot be read: tried again, it would be
        opened a second time."""
        name = self.opened.get(values["subject"], "")
        if name and not self._system.there(self._call, name):
            raise Refused(
                f"起こした課題票 {name} を読めません。二度起こさないよう、人が確かめてください。",
                f"ticket {name} was opened and cannot be read: a person must see to it",
            )
        return bool(name or self._found(values))

    def unseen(self, action: str) -> timedelta:
        """See `Lagging`: the mark is looked for by searching."""
        return _UNSEEN if self.settings.system == "jira" else timedelta(0)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Nothing: what was written stays for people."""
        return Done("課題票は人が閉じてください。", "a person closes the ticket", changed=False)

    def health(self) -> str:
        """Looks for a ticket that is not there, and whether one of its own would be found."""
        try:
            self._found({"subject": "hinomi health check"})
            self._system.findable(self._call)
        except HinomiError as error:
            return error.ja
        return ""

    @property
    def _system(self) -> System:
        own = self.settings
        match own.system:
            case "redmine":
                return Redmine(own.project, own.fields)
            case "jira":
                return Jira(own.project, own.fields, "/rest/api/3", "search/jql")
            case "jira_server":
                return Jira(own.project, own.fields, "/rest/api/2", "search")
            case "servicenow":
                return ServiceNow(own.fields)

    def _found(self, values: Mapping[str, str]) -> str:
        return self._system.found(self._call, _mark(values["subject"]))

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


def _mark(subject: str) -> str:
    """A word that only this ticket has."""
    return f"hinomi{digest('ticket', subject)[:12]}"


KIND = Kind("ticket", TicketSystem, Tickets, frozenset({"ticket.open"}))
