"""What no log tells: an incident that a person opens, and a playbook that they start, for the targets that they name."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from collectors.enrich.settings import ZONE_WORDS, Zone
from dashboards.console.addressed import back, wanted
from dashboards.console.decisions import grade
from dashboards.console.fields import moment, now_input, text
from dashboards.console.visit import Visit
from dashboards.texts import Texts
from hinomi.errors import InputError
from hinomi.incident import Incident
from responders.incidents.reported import KIND
from responders.opening import Report
from responders.playbooks.named import inputs, is_target, offered
from responders.playbooks.playbook import Playbook
from responders.starting import Starting

_BETWEEN = re.compile(r"[,、\n]")


@dataclass(frozen=True, slots=True)
class Startable:
    """A playbook to choose. about: what its acts are done to, in words."""

    name: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Target:
    """A box for targets of one kind. name: of the form's field; value: what the incident itself names."""

    name: str
    label: str
    value: str


def startables(starting: Starting, texts: Texts) -> list[Startable]:
    """Every playbook that can be started, by its title."""
    found = [_startable(one, texts) for one in starting.books.values()]
    return sorted(found, key=lambda one: one.title)


def _startable(playbook: Playbook, texts: Texts) -> Startable:
    about = texts("mark.comma").join(label(name, texts) for name in inputs(playbook))
    return Startable(playbook.playbook, texts.of(playbook.title_ja, playbook.title_en), about)


def targets(starting: Starting, incident: Incident | None, texts: Texts) -> list[Target]:
    """A box for each kind of target, with what the incident names where that is few."""
    held = offered(incident, starting.fields) if incident else {}
    return [
        Target(field_of(name), label(name, texts), ", ".join(_plain(name, held.get(name, []))))
        for name in starting.fields
    ]


def _plain(name: str, values: Sequence[str]) -> list[str]:
    """Those that come back from a box as they went in: an account that an attacker called `nobody,t.yamada` is not two people,
    and what no target can be would have the whole form refused."""
    return [value for value in values if not _BETWEEN.search(value) and is_target(name, value)]


def label(name: str, texts: Texts) -> str:
    """An ECS field as people call it."""
    return texts.get("entity", name)


def field_of(name: str) -> str:
    """The form's field for targets of this ECS field."""
    return f"target-{name}"


def given(visit: Visit, names: Sequence[str]) -> dict[str, list[str]]:
    """What was typed into the boxes."""
    return {name: _BETWEEN.split(visit.form.get(field_of(name), "")) for name in names}


def start(visit: Visit) -> Response:
    """Ask for a plan of a playbook; somebody else approves it."""
    incident, starting = wanted(visit), visit.console.service.starting
    starting.start(incident.id, visit.form.get("playbook", ""), given(visit, starting.fields), **visit.who)
    return back(visit, incident, "start_asked")


def form(visit: Visit) -> Response:
    """The form that opens an incident, and reports that have no number yet."""
    service, texts = visit.console.service, visit.texts
    return visit.page(
        "open.html",
        startables=startables(service.starting, texts),
        targets=targets(service.starting, None, texts),
        zones=[(zone.value, ZONE_WORDS[zone].of(visit.language)) for zone in Zone],
        whose_it_is=visit.whose(),
        anybodys=visit.console.scope is None,
        waiting=service.opening.waiting(),
        now_input=now_input(visit),
        key=secrets.token_hex(16),
    )


def take(visit: Visit) -> Response:
    """Take a report in; the same form sent twice is one."""
    service = visit.console.service
    report = Report(
        title=visit.form.get("title", ""),
        what=text(visit, "what"),
        known=moment(visit, "known"),
        grade=grade(visit),
        zone=visit.form.get("zone", ""),
        targets=given(visit, service.starting.fields),
        playbook=visit.form.get("playbook", ""),
        organization=organization(visit, visit.form.get("organization", "")),
        key=visit.form.get("key", "")[:64],
    )
    taken = service.opening.open(report, **visit.who)
    return visit.to(f"/reported/{taken.id}")


def receipt(visit: Visit) -> Response:
    """On to the incident, once it has a number; until then that the report is kept."""
    held = visit.console.records.get(KIND, str(visit.request.path_params["report"]))
    if held is None:
        raise InputError("この届けはありません。", "there is no such report")
    if held.body["state"] == "open":
        return visit.to(f"/incidents/{held.body['number']}", done="opened")
    answer = visit.page("reported.html", report=held)
    if held.body["state"] == "asked":
        answer.headers["Refresh"] = "2"
    return answer


def organization(visit: Visit, asked: str) -> str:
    """Whose the incident is: the reader's own where they see one organisation alone, else what they say. Raises InputError for
    one that they do not see."""
    console = visit.console
    if console.scope is None:
        known = {"", *console.organizations.names}
    else:
        known = set(console.scope)
        asked = asked or (next(iter(known)) if len(known) == 1 else "")
    if asked not in known:
        raise InputError("どの組織の件かを選んでください。", "say whose incident it is")
    return asked
