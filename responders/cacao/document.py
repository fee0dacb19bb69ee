"""The constraints of a CACAO 2.0 playbook, as far as we write and read them.

Facts: OASIS, CACAO Security Playbooks Version 2.0, Committee Specification 01, sections 3 (playbook), 4 (workflow steps),
5 (commands), 7 and 8 (agents and targets, extensions), 10 (identifiers, timestamps, variables). Written anew from the text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hinomi.errors import ContentError, HinomiError, ManyErrors, Where

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
IDENTIFIER = re.compile(rf"^[a-z][a-z0-9-]+[a-z0-9]--{_UUID}$")
EXTENSION_PROPERTY = re.compile(r"[a-z0-9_]{3,250}")
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER.pattern)]
Timestamp = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?Z$"
    ),
]
StepType = Literal[
    "start",
    "end",
    "action",
    "playbook-action",
    "parallel",
    "if-condition",
    "while-condition",
    "switch-condition",
]
_AGENT_NEEDS = {
    "http-api": "address",
    "linux": "address",
    "net-address": "address",
    "ssh": "address",
    "sector": "sector",
    "security-category": "category",
}
NEXT = ("on_completion", "on_success", "on_failure", "on_true", "on_false")


class _Open(BaseModel):
    """CACAO lets producers add nothing unknown, but readers must not fail on what newer versions add."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Command(_Open):
    """One command of an action; `type` is an open vocabulary."""

    type: str
    command: str = ""
    description: str = ""
    playbook_activity: str | None = None


class Agent(_Open):
    """Who or what carries commands out, or what they are done to (section 7)."""

    type: str
    name: str


class ExtensionDefinition(_Open):
    """What an extension is, and where that is written (section 8)."""

    type: Literal["extension-definition"]
    name: str
    created_by: Identifier
    schema_: str = Field(alias="schema")
    version: str


Extensions = Annotated[dict[Identifier, dict[str, Any]], Field(min_length=1)]


class WorkflowStep(_Open):
    """One step. Which keys it has depends on its type; `_step_problems` checks that."""

    type: StepType
    name: str = ""
    description: str = ""
    delay: Annotated[int, Field(ge=1)] | None = None
    timeout: int | None = None
    on_completion: Identifier | None = None
    on_success: Identifier | None = None
    on_failure: Identifier | None = None
    commands: list[Command] = Field(default_factory=list)
    agent: Identifier | None = None
    condition: str | None = None
    on_true: Identifier | None = None
    on_false: Identifier | None = None
    next_steps: list[Identifier] = Field(default_factory=list)
    playbook_id: Identifier | None = None
    switch: str = ""
    cases: dict[str, Identifier] = Field(default_factory=dict)
    step_extensions: Extensions = Field(default_factory=dict)


class CacaoPlaybook(_Open):
    """The whole document."""

    type: Literal["playbook"]
    spec_version: Literal["cacao-2.0"]
    id: Identifier
    name: str
    description: str = ""
    playbook_types: list[str] = Field(default_factory=list)
    created_by: Identifier
    created: Timestamp
    modified: Timestamp
    labels: list[str] = Field(default_factory=list)
    workflow_start: Identifier
    workflow: dict[Identifier, WorkflowStep] = Field(min_length=2)
    playbook_extensions: Extensions = Field(default_factory=dict)
    agent_definitions: Annotated[dict[Identifier, Agent], Field(min_length=1)] = Field(default_factory=dict)
    target_definitions: Annotated[dict[Identifier, Agent], Field(min_length=1)] = Field(default_factory=dict)
    extension_definitions: dict[Identifier, ExtensionDefinition] = Field(default_factory=dict)


def checked(value: Mapping[str, Any], source: str) -> CacaoPlaybook:
    """The document, if it is one. Raises ContentError (or several) naming the key."""
    try:
        document = CacaoPlaybook.model_validate(value)
    except ValueError as error:
        raise _explained(error, source) from None
    problems: list[HinomiError] = [
        ContentError(ja, en, where=Where(source, None, key)) for key, ja, en in _problems(document)
    ]
    if problems:
        raise problems[0] if len(problems) == 1 else ManyErrors(problems)
    return document


def _explained(error: ValueError, source: str) -> HinomiError:
    details: list[Any] = getattr(error, "errors", list)()
    found: list[HinomiError] = []
    for detail in details:
        key = ".".join(str(part) for part in detail["loc"])
        found.append(
            ContentError(
                f"CACAO 2.0 の形ではありません({detail['msg']})。",
                f"not CACAO 2.0: {detail['msg']}",
                where=Where(source, None, key),
            )
        )
    return found[0] if len(found) == 1 else ManyErrors(found)


def _problems(document: CacaoPlaybook) -> Iterator[tuple[str, str, str]]:
    yield from _agent_problems(document)
    start = document.workflow.get(document.workflow_start)
    if start is None or start.type != "start":
        yield (
            "workflow_start",
            "開始の手順(start)を指していません。",
            "does not name a step of type start",
        )
    for identity, step in document.workflow.items():
        key = f"workflow.{identity}"
        if not identity.startswith(f"{step.type}--"):
            yield key, f"識別子が {step.type}-- で始まりません。", f"must begin with {step.type}--"
        for name, ja, en in _step_problems(step):
            yield f"{key}.{name}", ja, en
        for name in (*following(step), *([step.agent] if step.agent else [])):
            if name not in document.workflow and name not in document.agent_definitions:
                yield key, f"「{name}」はこの文書にありません。", f"{name} is not in this document"
        for name, held in step.step_extensions.items():
            if name not in document.extension_definitions:
                yield key, f"拡張「{name}」の定義がありません。", f"extension {name} is not defined"
            for wrong in (one for one in held if not EXTENSION_PROPERTY.fullmatch(one)):
                yield (
                    key,
                    f"拡張の項目名「{wrong}」は使えません。",
                    f"extension property {wrong} is not a-z0-9_, 3 to 250",
                )


def _agent_problems(document: CacaoPlaybook) -> Iterator[tuple[str, str, str]]:
    """What an agent or target of its type lacks (sections 7.4 to 7.12)."""
    for name in ("agent_definitions", "target_definitions"):
        for identity, agent in getattr(document, name).items():
            needed = _AGENT_NEEDS.get(agent.type)
            if needed and not (agent.model_extra or {}).get(needed):
                yield f"{name}.{identity}.{needed}", "必要な項目がありません。", "this key is required"


def _step_problems(step: WorkflowStep) -> Iterator[tuple[str, str, str]]:
    needed = {
        "action": ("commands", "agent"),
        "playbook-action": ("playbook_id",),
        "parallel": ("next_steps",),
        "if-condition": ("condition", "on_true"),
        "while-condition": ("condition", "on_true"),
        "switch-condition": ("switch", "cases"),
    }.get(step.type, ())
    for key in needed:
        if not getattr(step, key):
            yield key, "必要な項目がありません。", "this key is required"
    if step.type == "end":
        if step.on_completion or step.on_success or step.on_failure:
            yield "on_completion", "end には続きがありません。", "an end step has nothing after it"
    elif not step.on_completion and not step.on_success:
        yield (
            "on_completion",
            "on_completion か on_success が必要です。",
            "on_completion or on_success is required",
        )
    if step.on_completion and (step.on_success or step.on_failure):
        yield (
            "on_completion",
            "on_success・on_failure と一緒には書けません。",
            "excludes on_success and on_failure",
        )
    if step.type == "parallel" and len(step.next_steps) < 2:
        yield "next_steps", "二つ以上の枝が必要です。", "needs two branches or more"


def following(step: WorkflowStep) -> list[str]:
    """All steps that a step names as next."""
    named = [getattr(step, key) for key in NEXT]
    return [name for name in (*named, *step.next_steps, *step.cases.values()) if name]
