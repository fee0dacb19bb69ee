"""One decision for several incidents of the queue. Each is recorded and audited on its own."""

from collections.abc import Callable

from starlette.responses import Response

from dashboards.console.casework import Casework
from dashboards.console.decisions import person, verdict, worker
from dashboards.console.fields import text
from dashboards.console.visit import Visit
from hinomi.errors import HinomiError, InputError
from hinomi.incident import Incident

MOST = 200
Act = Callable[[Incident], object]


def act(visit: Visit) -> Response:
    """Do what the form says with every incident that is ticked; what is refused is counted and said."""
    numbers = [int(n) for n in visit.many.get("number", []) if n.isascii() and n.isdigit() and len(n) < 10]
    if not numbers or len(numbers) > MOST:
        raise InputError(f"1〜{MOST} 件を選んでください。", f"tick 1 to {MOST} incidents")
    work = _work(visit)
    casework, done = Casework(visit.console.records), 0
    for number in dict.fromkeys(numbers):
        incident = casework.incident(number)
        if incident is None:
            continue
        try:
            work(incident)
            done += 1
        except HinomiError:
            continue  # audited by the desk; the page says how many went through
    left = len(dict.fromkeys(numbers)) - done
    return visit.back_to(visit.form.get("back", "/"), "bulk_some" if left else "bulk")


def _work(visit: Visit) -> Act:
    service, actor, roles = visit.console.service, visit.actor, visit.roles
    action = visit.form.get("do", "")
    if action == "acknowledge":
        return lambda incident: service.acknowledge(incident.id, actor=actor, roles=roles)
    if action == "assign":
        chosen = person(visit)
        if chosen is None:
            raise InputError(
                "担当者にできる利用者を選んでください。", "choose someone who may work on incidents"
            )
        return lambda incident: service.assign(
            incident.id, worker(chosen, incident).name, actor=actor, roles=roles
        )
    if action == "close":
        judged, reason = verdict(visit), text(visit, "reason")
        return lambda incident: service.close(incident.id, judged, reason, actor=actor, roles=roles)
    raise InputError("操作を選んでください。", "choose what to do")
