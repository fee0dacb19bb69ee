"""A CACAO 2.0 document as a playbook. Our own comes back as it was. Of a foreign one every command becomes a person's task:
commands of strangers are never run; its conditions become questions that a person answers."""

import re
from dataclasses import dataclass, field
from typing import Any

from hinomi.errors import ContentError, Where
from responders.cacao.document import CacaoPlaybook, WorkflowStep
from responders.cacao.export import EXTENSION, LONGER

_MOST = 500
_SHORTER = {longer: short for short, longer in LONGER.items()}


def imported(document: CacaoPlaybook, name: str, source: str) -> dict[str, Any]:
    """The playbook as it stands in YAML, for `validate`. Raises ContentError for loops that never end and the like."""
    reader = _Reader(document, source)
    start = document.workflow[document.workflow_start]
    steps = reader.sequence(start.on_completion or start.on_success)
    own = document.playbook_extensions.get(EXTENSION, {}).get("playbook")
    if own:
        return {**own, "steps": steps}
    return {
        "playbook": name,
        "title_ja": document.name,
        "title_en": document.name,
        "serves": ["MIC-7.3-(2)"],
        "approver": "information_system_manager",
        "impact_ja": document.description[:500] or "取り込んだ手順です。人が行います。",
        "impact_en": document.description[:500] or "imported; people carry it out",
        "no_evidence_ja": "人の作業だけの手順",
        "steps": steps,
    }


@dataclass(slots=True)
class _Reader:
    """Follows the graph from step to step; each sequence ends where its end step stands."""

    document: CacaoPlaybook
    source: str
    seen: set[str] = field(default_factory=set)
    asked: int = 0

    def sequence(self, at: str | None) -> list[dict[str, Any]]:
        """Steps from one on until an end."""
        steps: list[dict[str, Any]] = []
        while at is not None:
            step = self.document.workflow[at]
            if step.type == "end":
                return steps
            if at in self.seen or len(self.seen) > _MOST:
                raise self._bad(at, "手順が輪になっています。", "the steps form a loop")
            self.seen.add(at)
            steps += self._step(at, step)
            at = step.on_completion or step.on_success
        return steps

    def _step(self, at: str, step: WorkflowStep) -> list[dict[str, Any]]:
        given = step.step_extensions.get(EXTENSION, {})
        own = {_SHORTER.get(name, name): value for name, value in given.items()}
        own.pop("parallel", None)
        match step.type:
            case "parallel":
                return [{**own, "parallel": [self.sequence(one) for one in step.next_steps]}]
            case "if-condition":
                return self._choice(step, own)
            case "while-condition" if own:
                return [{**own, "steps": self.sequence(step.on_true)}]
            case "while-condition" | "switch-condition":
                raise self._bad(at, "この種類の手順は取り込めません。", f"{step.type} cannot be taken in")
        return [own] if own else [_task(step)]

    def _choice(self, step: WorkflowStep, own: dict[str, Any]) -> list[dict[str, Any]]:
        then, otherwise = self.sequence(step.on_true), self.sequence(step.on_false)
        if own:
            return [{**own, "then": then, **({"else": otherwise} if otherwise else {})}]
        self.asked += 1
        name = f"condition_{self.asked}"
        question = {
            "task_ja": f"条件に当たりますか: {_line(step.condition or step.name)}",
            "task_en": f"Does this hold: {_line(step.condition or step.name)}",
            "asks": {"name": name, "choices": ["yes", "no"]},
        }
        choice: dict[str, Any] = {"if": f"answers.{name} == 'yes'", "then": then or [_nothing()]}
        if otherwise:
            choice["else"] = otherwise
        return [question, choice]

    def _bad(self, at: str, ja: str, en: str) -> ContentError:
        return ContentError(ja, en, where=Where(self.source, None, f"workflow.{at}"))


def _task(step: WorkflowStep) -> dict[str, Any]:
    said = [_line(one.description or one.command) for one in step.commands]
    text = "; ".join(part for part in (_line(step.name), *said) if part) or step.type
    return {"task_ja": text[:1000], "task_en": text[:1000], "wait": True}


def _nothing() -> dict[str, Any]:
    return {"task_ja": "することはありません", "task_en": "Nothing to do"}


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:500]
