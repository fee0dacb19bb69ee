"""One step of a playbook as it is written: a person's task, an act, evidence, a gate, a choice, a loop, branches."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from hinomi.alert import ENTITIES
from hinomi.config import Section
from hinomi.errors import ContentError
from responders.connectors.actions import ACTIONS
from responders.playbooks import condition
from responders.roles import RANKS

Approver = Literal[
    "information_system_manager", "information_security_manager", "chief_information_security_manager", "ciso"
]
Kind = Literal["task", "act", "evidence", "approve", "choice", "each", "parallel", "clock", "tell", "wait"]

_KEYS: dict[str, Kind] = {
    "task_ja": "task",
    "act": "act",
    "evidence": "evidence",
    "approve": "approve",
    "if_": "choice",
    "each": "each",
    "parallel": "parallel",
    "start_clock": "clock",
    "tell": "tell",
    "wait_minutes": "wait",
}


OF_INCIDENT = "incident.title"
TARGETS = (*ENTITIES, OF_INCIDENT)
"""The fields that a step can be for: what alerts name, and the incident's own number and title."""


class Asks(Section):
    """A question that a person answers when the task is done; `answers.<name>` in conditions that follow."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    choices: list[str] = Field(min_length=2)


class Evidence(Section):
    """What is kept before anything is changed: the events about these entities, so many hours back."""

    of: list[str] = Field(min_length=1)
    hours: int = Field(default=24, ge=1, le=24 * 31)


class Gate(Section):
    """A decision in the middle of a run. people: how many different ones; within_minutes: then it is asked anew."""

    who: Approver
    people: int = Field(default=1, ge=1, le=3)
    within_minutes: int = Field(default=30, ge=1)
    shows_ja: str
    shows_en: str


class ActFirst(Section):
    """A permitted responder may do it before the approval when no approver is there (at night, on closed days); it is put
    back unless the approver confirms within so many hours (at most those of authority.yaml)."""

    confirm_within_hours: int = Field(ge=1)


class Step(Section):
    """Exactly one kind: `task_ja`, `act`, `evidence`, `approve`, `if`, `each`, `parallel`, `start_clock`, `tell` or
    `wait_minutes`.

    act with value (one of `TARGETS`, or inside `each` that field), `target`: another one under `connectors` than the usual;
    undo: whether it can be put back; verify: whether the target is looked at afterwards; for_hours: then it is put back
    by itself; an_hour: most acts of this kind in an hour over all runs; within_minutes: after so long an act has failed
    and a task that waits is late (`if_late`); act_first: see `ActFirst`. serves, nist: the clauses that this step serves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    task_ja: str = ""
    task_en: str = ""
    wait: bool = False
    asks: Asks | None = None
    if_late: Literal["fail", "go_on"] = "go_on"
    act: str = ""
    value: str = ""
    target: str = ""
    verify: bool = True
    undo: bool = True
    for_hours: int | None = Field(default=None, ge=1, le=24 * 90)
    an_hour: int = Field(default=5, ge=1)
    retries: int = Field(default=3, ge=0, le=10)
    within_minutes: int | None = Field(default=None, ge=1)
    act_first: ActFirst | None = None
    evidence: Evidence | None = None
    approve: Gate | None = None
    if_: str = Field(default="", alias="if")
    then: list["Step"] = Field(default_factory=list)
    else_: list["Step"] = Field(default_factory=list, alias="else")
    each: str = ""
    steps: list["Step"] = Field(default_factory=list)
    parallel: list[list["Step"]] = Field(default_factory=list)
    start_clock: str = ""
    tell: Literal[
        "", "ciso", "oncall", "information_system_manager", "chief_information_security_manager"
    ] = ""
    wait_minutes: int | None = Field(default=None, ge=1, le=24 * 60)
    serves: list[str] = Field(default_factory=list)
    nist: list[str] = Field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """Which kind of step it is."""
        return next(kind for key, kind in _KEYS.items() if getattr(self, key))

    @field_validator("if_")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text:
            try:
                condition.read(text)
            except ContentError as error:
                raise ValueError(f"{error.ja}|{error.en}") from None
        return text

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [key.rstrip("_") for key in _KEYS if getattr(self, key)]
        if len(given) != 1:
            names = ", ".join(key.rstrip("_") for key in _KEYS)
            raise ValueError(
                f"次のうち、どれか一つだけを書いてください: {names}(今は {', '.join(given) or 'なし'})"
                f"|give exactly one of {names}; here: {', '.join(given) or 'none'}"
            )
        problem = _missing(self)
        if problem:
            raise ValueError(problem)
        return self


def _missing(step: Step) -> str:
    """What a kind of step needs or cannot have, in words; empty when all is there."""
    if step.act and step.act not in ACTIONS:
        return f"操作は {', '.join(ACTIONS)} のどれかです。|act is one of {', '.join(ACTIONS)}"
    if step.act and not step.value:
        return "act には value(対象の項目)が必要です。|act needs value, the field it is for"
    if step.for_hours and not (step.act and step.undo and ACTIONS[step.act].undoable):
        return "for_hours は元に戻せる act にだけ書けます。|for_hours needs an act that can be undone"
    if step.act_first and not (step.act and step.undo and step.verify and ACTIONS[step.act].undoable):
        return (
            "act_first は、元に戻せて結果を確かめる act にだけ書けます。"
            "|act_first needs an act that can be undone and is verified"
        )
    if step.if_ and not step.then:
        return "if には then が必要です。|if needs then"
    if step.each and not step.steps:
        return "each には steps が必要です。|each needs steps"
    if step.parallel and len(step.parallel) < 2:
        return "parallel には二つ以上の枝が必要です。|parallel needs two branches or more"
    if (step.asks or step.wait) and not step.task_ja:
        return "wait と asks は task_ja にだけ書けます。|wait and asks belong to task_ja"
    return ""


def higher(one: str, other: str) -> str:
    """The higher of two offices."""
    return max(one, other, key=RANKS.index)


def walked(steps: list[Step]) -> list[Step]:
    """All steps, those inside others too, in reading order."""
    found: list[Step] = []
    for step in steps:
        inside: list[Any] = [step.then, step.else_, step.steps, *step.parallel]
        found += [step, *(one for part in inside for one in walked(part))]
    return found
