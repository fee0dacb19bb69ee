"""The incident page: story, steps, graph, timeline, alerts with their evidence, plan, precedents, report clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from dashboards import attack, graph, times
from dashboards.console import by_hand, case_timeline, decisions, exceptions_page, plans, summary, targets
from dashboards.console.addressed import wanted
from dashboards.console.casework import Casework
from dashboards.console.docket import docket
from dashboards.console.evidence import Reader, Shown
from dashboards.console.fields import WAYS, now_input
from dashboards.console.next_step import Table, next_step
from dashboards.console.on_duty import on_duty
from dashboards.console.residents import Seal
from dashboards.console.similar import precedents
from dashboards.console.templating import pivot
from dashboards.console.visit import Visit
from dashboards.duties import known_at, obligations
from hinomi.alert import Alert, search
from hinomi.incident import Incident, Status
from responders.duties import contacts
from responders.incidents.casefile import needs_a_person

_AROUND = timedelta(minutes=10)
_FEW, _MANY, _READ = 3, 100, 1


@dataclass(frozen=True, slots=True)
class Finding:
    """An alert with its first events (None: not read yet), the address of a search around it, and whether it is shown
    opened."""

    alert: Alert
    events: list[Shown] | None
    search: str
    opened: bool


def show(visit: Visit) -> Response:
    """The page of one incident; looking at it is written to the audit log."""
    incident = wanted(visit)
    visit.console.audit.append(actor=visit.actor, action="console.look", target=incident.id, details={})
    return visit.page("incident.html", **_context(visit, incident))


def _context(visit: Visit, incident: Incident) -> dict[str, Any]:
    casework, now = Casework(visit.console.records), visit.console.clock.now()
    alerts = casework.alerts(incident)
    scope = f"incident:{incident.number}"
    revealed = visit.console.residents.until(visit.actor, scope)
    runs = plans.of_incident(visit, incident)
    return {
        "incident": incident,
        "waits": needs_a_person(incident),
        "here": f"/incidents/{incident.number}",
        "scope": scope,
        "revealed": revealed,
        "facts": summary.facts(incident, alerts, now, visit.texts),
        "clock": targets.running(incident, visit.console.settings.targets, now, visit.texts),
        "steps": attack.steps(incident.tags),
        "techniques": attack.techniques(incident.tags),
        "graph": _graph(visit, alerts),
        "lanes": case_timeline.of(visit, incident, alerts),
        "timeline": sorted(incident.timeline, key=lambda happening: happening.time),
        "findings": _findings(visit, alerts, visit.console.residents.seal(visit.actor, scope)),
        "runs": runs,
        "mine_to_decide": any(not decision.why_not for plan in runs for decision in plan.decisions),
        "people": [user for user in visit.console.users.all() if decisions.may_take(user, incident)],
        "precedents": precedents(incident, docket(visit.console.records)),
        **_work(visit, incident, runs),
        "merged_into": _merged_into(visit, incident),
        "offers": exceptions_page.offers(incident, alerts) if visit.console.scope is None else [],
        "quiet": exceptions_page.of_incident(visit, incident),
        "startables": by_hand.startables(visit.console.service.starting, visit.texts),
        "targets": by_hand.targets(visit.console.service.starting, incident, visit.texts),
        "live": True,
        "judging": visit.asked("act") == "verdict",
    }


def _work(visit: Visit, incident: Incident, runs: Sequence[plans.PlanRun]) -> dict[str, Any]:
    """The next step and what people do beside deciding: reports, calls, tasks, evidence."""
    service, console = visit.console.service, visit.console
    owed = obligations(incident, service.clocks.of(incident.id))
    told = service.contacts.of(incident.id)
    over = incident.status is Status.CLOSED
    to_tell = [] if over else contacts.due(console.responding.contacts, incident.grade, told)
    now, after = on_duty(visit)
    return {
        "next": next_step(visit, incident, Table(runs, owed, to_tell), may_work=visit.may_work),
        "owed": owed,
        "told": told,
        "to_tell": to_tell,
        "bodies": sorted(
            console.responding.contacts.bodies.items(), key=lambda pair: (pair[1].order, pair[0])
        ),
        "ways": WAYS,
        "on_duty": now,
        "after_duty": after,
        "messages": Casework(console.records).notifications(incident),
        "tasks": service.cases.tasks(incident.id),
        "pieces": service.cases.evidence(incident.id),
        "now_input": now_input(visit),
        "known_input": times.local_input(known_at(incident) or console.clock.now()),
    }


def _findings(visit: Visit, alerts: Sequence[Alert], seal: Seal) -> list[Finding]:
    """Each alert with a few events; the one that `?alert=` names with many. Only the gravest is read at
    once, as only it is shown opened (an explanation costs 10 ms an event); the rest when somebody asks."""
    console, asked = visit.console, visit.asked("alert")
    reader = Reader(console.events, console.rulebook, seal, visit.language)
    gravest = sorted(alerts, key=lambda alert: (-alert.level.rank, alert.first))
    shown = reader.read(gravest[:_READ], _FEW)
    shown |= reader.read([alert for alert in alerts if alert.id == asked], _MANY)
    first = asked or (gravest[0].id if gravest else "")
    return [Finding(alert, shown.get(alert.id), _search_around(alert), alert.id == first) for alert in alerts]


def _graph(visit: Visit, alerts: Sequence[Alert]) -> Markup:
    # S704: the SVG is our own text; every value in it went through escape() in dashboards.drawing
    return Markup(graph.draw(alerts, visit.texts, pivot))  # noqa: S704


def _merged_into(visit: Visit, incident: Incident) -> int | None:
    """Number of the incident that took this one in, where one did."""
    record = visit.console.records.get("incident", str(incident.fields.get("merged_into", "")))
    return int(record.body["number"]) if record else None


def _search_around(alert: Alert) -> str:
    """A search for the alert's first entity, ten minutes before to ten after."""
    field, values = next(iter(alert.entities.items()), ("", []))
    query = search(field, values[0]) if values else ""
    start, end = times.local_input(alert.first - _AROUND), times.local_input(alert.last + _AROUND)
    return "/search?" + urlencode({"q": query, "range": "own", "from": start, "to": end})
