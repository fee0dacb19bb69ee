"""A playbook as CACAO 2.0. What CACAO has no words for (approval, undo, limits) travels in an extension of our own, so that
a document that comes back is the same playbook; other tools read the flow, the names and the commands."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hinomi import __version__
from responders.connectors.actions import ACTIONS
from responders.playbooks.playbook import Playbook
from responders.playbooks.step import Step

SPACE = uuid.UUID("6f0e1d1c-5b51-5d0a-9a0a-3a7b8a2f9e11")  # of identifiers that are made from names
CREATED = "2026-11-01T00:00:00.000Z"


def identifier(kind: str, *parts: str) -> str:
    """An identifier that is the same for the same parts."""
    return f"{kind}--{uuid.uuid5(SPACE, '|'.join(parts))}"


EXTENSION = identifier("extension-definition", "hinomi")
AUTHOR = identifier("identity", "hinomi")
LONGER = {"if": "condition"}
"""Names of properties in an extension have three characters at least (CACAO 2.0, requirements for extension properties)."""
_ACTIVITY = {"act": "restrict-access", "evidence": "analyze-collected-data", "task": "step-sequence"}


def exported(playbook: Playbook) -> dict[str, Any]:
    """The document, ready for JSON. The same playbook gives the same document."""
    writer = _Writer(playbook.playbook)
    end = writer.add("end", "end", {})
    first = writer.sequence(playbook.steps, "s", end)
    start = writer.add("start", "start", {"on_completion": first})
    whole = playbook.model_dump(mode="json", by_alias=True, exclude={"steps"}, exclude_defaults=True)
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": identifier("playbook", playbook.playbook),
        "name": playbook.title_en,
        "description": f"{playbook.title_ja}。{playbook.impact_ja} / {playbook.impact_en}",
        "playbook_types": ["mitigation"] if playbook.acts else ["investigation"],
        "playbook_activities": sorted(writer.activities),
        "created_by": AUTHOR,
        "created": CREATED,
        "modified": CREATED,
        "labels": [*playbook.serves, *playbook.nist],
        "external_references": [
            {"name": "NIST SP 800-61r3", "description": ", ".join(playbook.nist) or "—"},
            {
                "name": "総務省 情報セキュリティポリシーに関するガイドライン",
                "description": ", ".join(playbook.serves),
            },
        ],
        "workflow_start": start,
        "workflow": writer.steps,
        "playbook_extensions": {EXTENSION: {"playbook": whole}},
        "agent_definitions": writer.agents,
        "extension_definitions": {
            EXTENSION: {
                "type": "extension-definition",
                "name": "Hinomi",
                "description": "Approval, acting before it (act_first), undo, limits and clauses of a Hinomi playbook",
                "created_by": AUTHOR,
                "schema": "https://hinomi.example/docs/response",
                "version": __version__,
            }
        },
    }


@dataclass(slots=True)
class _Writer:
    """Writes steps from the last to the first: each has to name the one after it."""

    name: str
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)

    def add(self, kind: str, place: str, fields: dict[str, Any]) -> str:
        """One step; returns its identifier."""
        identity = identifier(kind, self.name, place)
        self.steps[identity] = {"type": kind, **fields}
        return identity

    def sequence(self, steps: Sequence[Step], place: str, after: str) -> str:
        """The first step of a sequence whose last one goes on to `after`."""
        following = after
        for index in range(len(steps) - 1, -1, -1):
            following = self._step(steps[index], f"{place}.{index}", following)
        return following

    def _branch(self, steps: Sequence[Step], place: str) -> str:
        return self.sequence(steps, place, self.add("end", f"{place}.end", {}))

    def _step(self, step: Step, place: str, after: str) -> str:
        own = {"step_extensions": {EXTENSION: _own(step)}, "on_completion": after}
        match step.kind:
            case "choice":
                fields = {"condition": step.if_, "on_true": self._branch(step.then, f"{place}.t")}
                if step.else_:
                    fields["on_false"] = self._branch(step.else_, f"{place}.f")
                return self.add("if-condition", place, {"name": step.if_, **fields, **own})
            case "each":
                fields = {
                    "name": f"each {step.each}",
                    "condition": f"another {step.each}",
                    "on_true": self._branch(step.steps, f"{place}.b"),
                }
                return self.add("while-condition", place, {**fields, **own})
            case "parallel":
                branches = [self._branch(one, f"{place}.p{n}") for n, one in enumerate(step.parallel)]
                return self.add("parallel", place, {"name": "parallel", "next_steps": branches, **own})
        return self.add("action", place, {**self._action(step), **own})

    def _action(self, step: Step) -> dict[str, Any]:
        name, words = _words(step)
        agent = (
            self._agent("organization", "CSIRT") if not step.act else self._agent("security-category", words)
        )
        said = f"{name}{_first(step)}"
        command = {"type": "manual", "description": said, "command": name}
        command["playbook_activity"] = _ACTIVITY.get(step.kind, "identify-steps")
        self.activities.add(command["playbook_activity"])
        return {"name": name, "commands": [command], "agent": agent}

    def _agent(self, kind: str, name: str) -> str:
        identity = identifier(kind, name)
        self.agents[identity] = {"type": kind, "name": name}
        if kind == "security-category":
            self.agents[identity]["category"] = [_CATEGORY.get(name, "siem")]
        return identity


_CATEGORY = {
    "firewall": "firewall",
    "host_firewall": "firewall",
    "router": "router",
    "switch": "switch",
    "proxy": "proxy",
    "dns": "dns",
    "endpoint": "endpoint",
    "directory": "aaa",
    "cloud_directory": "aaa",
    "mail": "email-security",
    "ticket": "ticketing",
}


def _words(step: Step) -> tuple[str, str]:
    """A step in a few words, and the kind of device that does it."""
    if step.act:
        action = ACTIONS[step.act]
        return action.en.format(v=f"{{{step.value}}}"), step.act.partition(".")[0]
    if step.evidence:
        return f"Keep evidence about {', '.join(step.evidence.of)}", ""
    if step.approve:
        return f"Approval by {step.approve.who}: {step.approve.shows_en}", ""
    if step.start_clock:
        return f"Decide whether the reporting clock {step.start_clock} starts", ""
    if step.tell:
        return f"Tell {step.tell}", ""
    if step.wait_minutes:
        return f"Wait {step.wait_minutes} minutes", ""
    return step.task_en or step.task_ja, ""


def _first(step: Step) -> str:
    """For readers without our extension: a step that may be done before its approval."""
    if step.act_first is None:
        return ""
    hours = step.act_first.confirm_within_hours
    return f" (at night a permitted responder may do it before the approval; undone unless approved within {hours} h)"


def _own(step: Step) -> dict[str, Any]:
    """The step as we write it, without the steps inside it, which stand in the workflow."""
    inside = {"then", "else_", "steps", "parallel"}
    own = step.model_dump(mode="json", by_alias=True, exclude=inside, exclude_defaults=True)
    named = {LONGER.get(name, name): value for name, value in own.items()}
    return named or {"parallel": True}
