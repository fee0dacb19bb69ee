"""What a playbook is: who it is for, its steps, who approves, how each step is undone, what it serves."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hinomi import yamlfile
from hinomi.alert import ENTITIES
from hinomi.config import Section, validate
from hinomi.errors import ContentError, HinomiError, ManyErrors
from responders import clauses
from responders.connectors.actions import ACTIONS
from responders.playbooks import authority, condition
from responders.playbooks.authority import office
from responders.playbooks.step import TARGETS, Approver, Step, walked

__all__ = ["Approver", "Playbook", "Step", "catalogue", "lint", "load"]


class Playbook(Section):
    """A whole playbook; `playbook` is the file's name.

    approver: the office that decides on the whole plan; on_failure: what happens when a step failed (`continue` with
    the rest, `stop`, or `undo` what was done in reverse order); serves: clauses of the guideline; nist: functions or
    categories of NIST SP 800-61r3 (CSF 2.0); no_evidence_ja: why there is none to keep before acting, where so.
    """

    playbook: str
    title_ja: str
    title_en: str
    serves: list[str] = Field(min_length=1)
    nist: list[str] = Field(default_factory=list)
    approver: Approver
    people: int = Field(default=1, ge=1, le=3)
    approve_within_minutes: int = Field(default=30, ge=1)
    on_failure: Literal["continue", "stop", "undo"] = "continue"
    no_evidence_ja: str = ""
    impact_ja: str
    impact_en: str
    steps: list[Step] = Field(min_length=1)

    @property
    def acts(self) -> list[Step]:
        """Steps that change something, wherever they stand."""
        return [step for step in walked(self.steps) if step.act]


def load(path: Path) -> Playbook:
    """A playbook from its file. Raises ContentError (or several) naming file, line and key."""
    document = yamlfile.read(path)
    places = {key: document.places.where(key) for key in document.places.lines}
    playbook = validate(document.value, Playbook, places, default=path)
    errors = [
        ContentError(ja, en, where=document.places.where(key)) for key, ja, en in _problems(playbook, path)
    ]
    if errors:
        raise errors[0] if len(errors) == 1 else ManyErrors(list(errors))
    return playbook


def catalogue(*folders: Path, problems: list[HinomiError] | None = None) -> dict[str, Playbook]:
    """Every playbook of our own folder and of these. One that cannot be read is left out and its error added to
    `problems`; raised where none are taken."""
    own = Path(str(files("responders"))) / "playbooks"
    found: dict[str, Playbook] = {}
    for path in (path for folder in (own, *folders) for path in sorted(folder.glob("*.yml"))):
        try:
            playbook = load(path)
        except HinomiError as error:
            if problems is None:
                raise
            problems.append(error)
        else:
            found[playbook.playbook] = playbook
    return found


def lint(folder: Path) -> list[HinomiError]:
    """What is wrong with the playbooks of a folder."""
    problems: list[HinomiError] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            load(path)
        except HinomiError as error:
            problems.append(error)
    return problems


def _problems(playbook: Playbook, path: Path) -> Iterator[tuple[str, str, str]]:
    """(key, Japanese, English) of what the schema alone cannot see."""
    if playbook.playbook != path.stem:
        yield (
            "playbook",
            f"playbook は「{path.stem}」(ファイル名)にしてください。",
            f'playbook must be "{path.stem}", the file name',
        )
    needed = office(_ungated(playbook.steps))
    if needed.above(playbook.approver, playbook.people):
        yield (
            "approver",
            f"手順の影響が大きいため、承認者は {needed.who}({needed.people} 人)以上にしてください。",
            f"the reach of its steps needs {needed.who}, {needed.people} of them, as approver",
        )
    yield from _unknown_nist(playbook.nist, "nist")
    known: set[str] = set()
    yield from _walk(playbook.steps, "steps", known, bool(playbook.no_evidence_ja), None)
    yield from _first_problems(playbook.steps, "steps", True)


def _first_problems(steps: list[Step], at: str, early: bool) -> Iterator[tuple[str, str, str]]:
    """`act_first` comes before the approval: so nothing stands before it that waits for one, and it reaches one endpoint."""
    for index, step in enumerate(steps):
        key = f"{at}.{index}"
        if step.act_first and not early:
            yield (
                f"{key}.act_first",
                "act_first の前に置けるのは、evidence と、待たない task_ja だけです。",
                "only evidence and tasks that nobody waits for may come before act_first",
            )
        if step.act_first and ACTIONS[step.act].reach.value not in authority.first_reaches():
            yield (
                f"{key}.act_first",
                f"act_first にできるのは、影響が {'、'.join(authority.first_reaches())} の操作だけです。",
                f"act_first is for acts that reach {', '.join(authority.first_reaches())} only",
            )
        if step.act_first and step.act_first.confirm_within_hours > authority.first_most_hours():
            yield (
                f"{key}.act_first.confirm_within_hours",
                f"{authority.first_most_hours()} 時間以内にしてください。",
                f"at most {authority.first_most_hours()} hours",
            )
        here = early and not (step.if_ and condition.read(step.if_).asks)
        for name, inside in (("then", step.then), ("else", step.else_), ("steps", step.steps)):
            yield from _first_problems(inside, f"{key}.{name}", here)
        for n, branch in enumerate(step.parallel):
            yield from _first_problems(branch, f"{key}.parallel.{n}", here)
        early = early and (step.kind == "evidence" or (step.kind == "task" and not (step.wait or step.asks)))


def _ungated(steps: list[Step]) -> list[Step]:
    """Acts that no gate of their own stands before: the approver of the whole plan decides on them."""
    found: list[Step] = []
    for step in steps:
        if step.approve:
            break
        inside = [step.then, step.else_, step.steps, *step.parallel]
        found += [step] if step.act else [one for part in inside for one in _ungated(part)]
    return found


def _walk(
    steps: list[Step], at: str, known: set[str], kept: bool, bound: str | None
) -> Iterator[tuple[str, str, str]]:
    """Steps in order: evidence before containment, answers asked before they are used, loops over their own field."""
    for index, step in enumerate(steps):
        key = f"{at}.{index}"
        kept = kept or step.evidence is not None
        yield from _step_problems(step, key, known, kept, bound)
        if step.asks:
            known.add(step.asks.name)
        parts: list[tuple[str, Any]] = [("then", step.then), ("else", step.else_), ("steps", step.steps)]
        parts += [(f"parallel.{n}", branch) for n, branch in enumerate(step.parallel)]
        for name, inside in parts:
            yield from _walk(inside, f"{key}.{name}", known, kept, step.each or bound)


def _unknown_nist(names: list[str], key: str) -> Iterator[tuple[str, str, str]]:
    known = clauses.nist()
    for index, name in enumerate(names):
        if name not in known:
            yield (
                f"{key}.{index}",
                f"「{name}」は NIST SP 800-61r3 の区分ではありません。使えるもの: {', '.join(known)}",
                f'"{name}" is no subcategory of NIST SP 800-61r3; there are: {", ".join(known)}',
            )


def _step_problems(
    step: Step, key: str, known: set[str], kept: bool, bound: str | None
) -> Iterator[tuple[str, str, str]]:
    yield from _unknown_nist(step.nist, f"{key}.nist")
    if step.act and ACTIONS[step.act].contains and not kept:
        yield (
            f"{key}.act",
            "封じ込めの前に evidence(証拠の保全)の手順を置いてください。",
            "put an evidence step before an act that contains",
        )
    if step.act and step.undo and not ACTIONS[step.act].undoable:
        yield (
            f"{key}.act",
            "この操作は元に戻せません。undo: false と書いてください。",
            "this act cannot be undone: say undo: false",
        )
    for name, field, named in (("value", step.value, TARGETS), ("each", step.each, ENTITIES)):
        if field and field not in named:
            yield (
                f"{key}.{name}",
                f"警報に「{field}」という項目はなく、この手順は決して行われません。使えるもの: {', '.join(named)}",
                f'no alert carries "{field}": this step would never be done; there are: {", ".join(named)}',
            )
    if step.each and bound:
        yield f"{key}.each", "each の中に each は書けません。", "each inside each is not possible"
    unknown = condition.read(step.if_).asks - known if step.if_ else set()
    for name in sorted(unknown):
        yield (
            f"{key}.if",
            f"answers.{name} を尋ねる手順が前にありません。",
            f"no earlier step asks for answers.{name}",
        )
