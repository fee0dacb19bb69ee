"""Playbook runs as the incident page shows them: each step, its undo, who must approve, who may now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.console.visit import Visit
from dashboards.users import ROLE_NAMES, Role
from hinomi.incident import Incident


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step. `approval`: id of the decision it waits for; `why_not`: why this reader may not decide."""

    what: str
    state: str
    undo: str = ""
    approver: str = ""
    result: str = ""
    approval: str = ""
    shows: str = ""
    may_decide: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class PlanRun:
    """One run of a playbook."""

    id: str
    title: str
    state: str
    dry_run: bool
    steps: list[PlanStep]


def of_incident(visit: Visit, incident: Incident) -> list[PlanRun]:
    """The incident's runs in the order in which they were proposed."""
    held = (visit.console.records.get("playbook_run", identity) for identity in incident.run_ids)
    return [_run(visit, record.id, record.body) for record in held if record]


def _run(visit: Visit, identity: str, body: Mapping[str, Any]) -> PlanRun:
    texts = visit.texts
    return PlanRun(
        id=identity,
        title=texts.of(str(body.get("title_ja", "")), str(body.get("title_en", ""))) or str(body["playbook"]),
        state=str(body["state"]),
        dry_run=bool(body["dry_run"]),
        steps=[_step(visit, step) for step in body["steps"]],
    )


def _step(visit: Visit, step: Mapping[str, Any]) -> PlanStep:
    return PlanStep(what=str(step), state="planned")


def role_name(visit: Visit, role: str) -> str:
    """A role in the reader's language; one that the playbook alone knows stays as written."""
    return ROLE_NAMES[Role(role)].of(visit.language) if role in set(Role) else role
