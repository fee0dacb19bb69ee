"""Every control judged: evidenced, in gap, needing a person, or excepted; nothing is judged without saying by what.

any check fails, or a person says so   → gap
a valid exception                      → excepted
a person must confirm, and none has    → person
otherwise                              → evidenced
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dashboards import times
from dashboards.compliance.checks import CHECKS, Look, Outcome
from dashboards.compliance.control import Control, controls
from dashboards.reporting.document import Ingredients
from hinomi.clock import JST
from hinomi.errors import HinomiError
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.incidents.suppression import ANY_RULE

KIND = "attestation"
VALID = timedelta(days=366)


class State(StrEnum):
    """How a control stands."""

    EVIDENCED = "evidenced"
    GAP = "gap"
    PERSON = "person"
    EXCEPTED = "excepted"


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a person said of a control. said: done, gap or excepted, or nothing where only somebody was put in charge;
    until: how long it counts; version: of its record, which whoever changes it has seen."""

    said: str
    note: str
    by: str
    at: datetime
    owner: str
    due: str
    until: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A control with what its checks found and what a person said."""

    control: Control
    state: State
    outcomes: list[Outcome]
    attested: Attestation | None
    exceptions: list[str]
    """Exceptions of detection that hold now and silence a rule that serves the control, as `rule: reason (until day)`."""
    late: bool = False
    """Still open after the day that was agreed."""

    @property
    def owner(self) -> str:
        """Who is in charge of it, empty for nobody."""
        return self.attested.owner if self.attested else ""

    @property
    def due(self) -> str:
        """Until which day (ISO), empty for none."""
        return self.attested.due if self.attested else ""

    @property
    def version(self) -> int:
        """Of what a person said, 0 for nothing."""
        return self.attested.version if self.attested else 0


def judge(of: Ingredients) -> list[Judged]:
    """Every control, in the table's order."""
    look = Look(of)
    said = attestations(of.records, look.now)
    return [_judge(control, look, said.get(control.id)) for control in controls()]


def tally(judged: Sequence[Judged]) -> Counter[State]:
    """How many controls stand how."""
    return Counter(one.state for one in judged)


def attestations(records: Records, now: datetime) -> dict[str, Attestation]:
    """Control → what a person said that still counts."""
    found = ((record.id, _attestation(record)) for record in records.find(KIND, limit=1000))
    return {identity: one for identity, one in found if one.until > now}


def _judge(control: Control, look: Look, said: Attestation | None) -> Judged:
    outcomes = [_outcome(look, ask.kind, ask.given) for ask in control.checks]
    state = _state(control, outcomes, said.said if said else "")
    is_open = state in {State.GAP, State.PERSON}
    late = bool(is_open and said and said.due and said.due < look.now.astimezone(JST).date().isoformat())
    return Judged(control, state, outcomes, said, _silenced(control, look), late)


def _state(control: Control, outcomes: Sequence[Outcome], said: str) -> State:
    if said == "excepted":
        return State.EXCEPTED
    if any(not outcome.good for outcome in outcomes) or said == "gap":
        return State.GAP
    return State.PERSON if control.person.ja and not said else State.EVIDENCED


def _silenced(control: Control, look: Look) -> list[str]:
    """The exceptions that weaken the control just now."""
    clauses = {str(clause) for ask in control.checks if ask.kind == "rules" for clause in ask.given}
    rules = {identity for clause in clauses for identity in look.serving.get(clause, ())}
    return [
        f"{one.rule_id}: {one.reason}({one.until.astimezone(JST):%Y-%m-%d} {one.owner})"
        for one in look.exceptions
        if rules and one.rule_id in {ANY_RULE, *rules}
    ]


def _outcome(look: Look, kind: str, given: Any) -> Outcome:
    try:
        return CHECKS[kind](look, given)
    except HinomiError as error:
        return Outcome(
            False, Words(f"確かめられません: {error.ja}", f"could not be checked: {error.en}"), kind
        )


def _attestation(record: Record) -> Attestation:
    body = record.body
    at = times.parse(body["at"])
    until = times.parse(body["until"])
    assert at is not None and until is not None
    return Attestation(
        str(body["said"]),
        str(body["note"]),
        str(body["by"]),
        at,
        str(body["owner"]),
        str(body["due"]),
        until,
        record.version,
    )
