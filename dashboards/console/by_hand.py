"""What no log tells: a playbook that a person starts on an incident, for the targets that they name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from dashboards.console.decisions import back
from dashboards.console.incident_page import wanted
from dashboards.console.visit import Visit
from dashboards.texts import Texts
from hinomi.incident import Incident
from responders.playbooks.named import inputs, offered
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
        Target(field_of(name), label(name, texts), ", ".join(held.get(name, []))) for name in starting.fields
    ]


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
