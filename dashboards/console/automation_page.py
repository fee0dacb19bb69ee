"""All automation: whether it runs, the switch that stops it, who decides for whom while away."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from dashboards.console.casework import Casework
from dashboards.console.fields import now_input, span, text
from dashboards.console.visit import Console, Visit
from responders import delegation
from responders.playbooks.run import KIND, RunState
from responders.roles import may_approve

_OPEN = [RunState.PROPOSED.value, RunState.RUNNING.value, RunState.UNDOING.value]


@dataclass(frozen=True, slots=True)
class State:
    """Whether playbooks may act. by, at, reason: of whoever stopped it; by is empty where the configuration did."""

    stopped: bool
    by: str = ""
    at: datetime | None = None
    reason: str = ""


def state(console: Console, *, why: bool = True) -> State:
    """As every page shows it. why: with the words of whoever stopped it, which may be about anybody's incident."""
    if console.responding.playbooks.paused:
        return State(True)
    held = console.service.automation.stopped()
    if held is None:
        return State(False)
    reason = str(held["reason"]) if why else ""
    return State(True, str(held["by"]), datetime.fromisoformat(held["at"]), reason)


def show(visit: Visit) -> Response:
    """The page."""
    records, now = visit.console.records, visit.console.clock.now()
    return visit.page(
        "automation.html",
        armed=visit.console.responding.playbooks.armed,
        runs=sum(records.count(KIND, {"state": one}) for one in _OPEN),
        lent=Casework(records).not_over(delegation.KIND, now),
        may_end_any=may_approve(delegation.with_lent(records, visit.actor, visit.roles, now), "ciso"),
        people=[one for one in visit.console.users.all() if not one.disabled and one.name != visit.actor],
        now_input=now_input(visit),
    )


def stop(visit: Visit) -> Response:
    """Throw the kill switch: no playbook acts from now on."""
    visit.console.service.automation.stop(text(visit, "reason"), **visit.who)
    return visit.to("/automation", done="automation_stopped")


def resume(visit: Visit) -> Response:
    """Let playbooks act again; it takes an office."""
    visit.console.service.automation.resume(text(visit, "reason"), **visit.who)
    return visit.to("/automation", done="automation_resumed")


def delegate(visit: Visit) -> Response:
    """Lend one's own office to somebody for a while."""
    visit.console.service.automation.delegate(
        visit.form.get("taker", ""),
        *span(visit),
        **visit.who,
    )
    return visit.to("/automation", done="delegated")


def end_delegation(visit: Visit) -> Response:
    """Take it back early."""
    visit.console.service.automation.end_delegation(str(visit.request.path_params["delegation"]), **visit.who)
    return visit.to("/automation", done="delegation_ended")
