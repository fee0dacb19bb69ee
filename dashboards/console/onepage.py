"""One page for the head of a section and the CISO: is anything wrong, what does it mean, what is being done, what is
to be decided. No jargon; it fits one printed A4."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from dashboards.compliance.judgement import State, tally
from dashboards.console import compliance_page, health
from dashboards.console.casework import Casework
from dashboards.console.ranking import Desk, Ranked, rank
from dashboards.console.visit import Visit
from dashboards.duties import Clocks, clocks_of, obligations, of_incident
from dashboards.texts import Texts
from hinomi.incident import Incident, Status, closed_at, is_merged

_SHOWN = 3
_RESIDENTS = frozenset({"mynumber", "lgwan"})


@dataclass(frozen=True, slots=True)
class Matter:
    """One open incident in plain words."""

    number: int
    title: str
    meaning: str
    doing: str
    since: datetime


def show(visit: Visit) -> Response:
    """The page as of now."""
    return visit.page("onepage.html", **situation(visit))


def situation(visit: Visit) -> dict[str, Any]:
    """What the page says: state (good, watch, bad), the gravest matters, decisions, silent sources, the week, controls by state."""
    console, texts = visit.console, visit.texts
    casework, now = Casework(console.records), console.clock.now()
    everything = [one for one in casework.incidents() if not is_merged(one)]
    still = [one for one in everything if one.status is not Status.CLOSED]
    clocks = clocks_of(console.records)
    ranked = rank(still, Desk(casework.waiting(), console.settings.targets, now, texts, clocks))
    grave = [one for one in ranked if one.incident.grade >= 2]
    week = now - timedelta(days=7)
    silent = [one for one in health.sources(console.records, now) if one.state == "silent"]
    judged = compliance_page.judged(console)
    return {
        "state": "bad" if any(one.incident.grade == 3 for one in grave) else "watch" if grave else "good",
        "matters": [_matter(one, texts) for one in grave[:_SHOWN]],
        "more": max(0, len(ranked) - min(_SHOWN, len(grave))),
        "decisions": _decisions(visit, ranked, clocks),
        "silent": silent,
        "closed_week": sum(closed_at(one) >= week for one in everything if one.status is Status.CLOSED),
        "opened_week": sum(one.opened >= week for one in everything),
        "counts": tally(judged),
        "states": list(State),
    }


def _matter(one: Ranked, texts: Texts) -> Matter:
    incident = one.incident
    return Matter(
        incident.number,
        texts.of(incident.title_ja, incident.title_en),
        _meaning(incident, texts),
        _doing(one, texts),
        incident.first,
    )


def _meaning(incident: Incident, texts: Texts) -> str:
    """What it means for residents, from the segments that it reached."""
    if "mynumber" in incident.zones:
        return texts("onepage.residents_mynumber")
    if "lgwan" in incident.zones:
        return texts("onepage.residents_lgwan")
    return texts(
        "onepage.residents_files" if incident.entities.get("file.name") else "onepage.residents_none"
    )


def _doing(one: Ranked, texts: Texts) -> str:
    incident = one.incident
    if one.waits_for_approval:
        return texts("onepage.waits")
    if not incident.acknowledged_by:
        return texts("onepage.nobody")
    return texts("onepage.by", who=incident.assignee or incident.acknowledged_by)


def _decisions(visit: Visit, ranked: Sequence[Ranked], clocks: Clocks) -> list[str]:
    """What somebody in charge has to decide, with the day by which."""
    texts = visit.texts
    found = [texts("onepage.approve", n=one.incident.number) for one in ranked if one.waits_for_approval][:3]
    for one in ranked:
        reaches_residents = bool(_RESIDENTS & set(one.incident.zones))
        for owed in obligations(one.incident, of_incident(clocks, one.incident)):
            if owed.open and owed.due is not None and (reaches_residents or owed.clock):
                due = visit.when(owed.due)
                what = owed.duty.what.of(texts.language)
                key = "onepage.report" if owed.undecided else "onepage.send"
                found.append(texts(key, n=one.incident.number, what=what, due=due))
    return found[:6]
