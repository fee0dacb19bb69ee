"""One decision for several incidents of the queue. Each is recorded and audited on its own.

What is ticked says `number:assignee`, as the queue showed it: one that somebody else was given since is left to them, and named.
"""

from collections.abc import Callable

from starlette.responses import Response

from dashboards.console.casework import Casework
from dashboards.console.decisions import person, verdict, worker
from dashboards.console.fields import text
from dashboards.console.visit import Visit
from hinomi.errors import Conflict, HinomiError, InputError
from hinomi.incident import Incident

MOST = 200
Act = Callable[[Incident, str | None], object]
"""What is done with an incident. The text: whose it was in the queue, None where the form does not say."""


def act(visit: Visit) -> Response:
    """Do what the form says with every incident that is ticked; what is refused is counted and said."""
    ticked = _ticked(visit)
    if not ticked or len(ticked) > MOST:
        raise InputError(f"1〜{MOST} 件を選んでください。", f"tick 1 to {MOST} incidents")
    work = _work(visit)
    casework, done, overtaken = Casework(visit.console.records), 0, list[str]()
    for number, before in ticked.items():
        incident = casework.incident(number)
        if incident is None:
            continue
        try:
            work(incident, before)
            done += 1
        except Conflict:
            overtaken.append(str(number))
        except HinomiError:
            continue  # audited by the desk; the page says how many went through
    said = "bulk" if done == len(ticked) else "bulk_some"
    said = ":".join(["bulk_overtaken", *overtaken]) if overtaken else said
    return visit.back_to(visit.form.get("back", "/"), said)


def _ticked(visit: Visit) -> dict[int, str | None]:
    """Numbers of incidents, and whose each was in the queue."""
    given = (one.partition(":") for one in visit.many.get("number", []))
    return {
        int(n): before if shown else None
        for n, shown, before in given
        if n.isascii() and n.isdigit() and len(n) < 10
    }


def _work(visit: Visit) -> Act:
    service, actor, roles = visit.console.service, visit.actor, visit.roles
    action = visit.form.get("do", "")
    if action == "acknowledge":
        return lambda incident, _: service.acknowledge(incident.id, actor=actor, roles=roles)
    if action == "assign":
        chosen = person(visit)
        if chosen is None:
            raise InputError(
                "担当者にできる利用者を選んでください。", "choose someone who may work on incidents"
            )
        return lambda incident, before: service.assign(
            incident.id, worker(chosen, incident).name, actor=actor, roles=roles, before=before
        )
    if action == "close":
        judged, reason = verdict(visit), text(visit, "reason")
        return lambda incident, _: service.close(incident.id, judged, reason, actor=actor, roles=roles)
    raise InputError("操作を選んでください。", "choose what to do")
