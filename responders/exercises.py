"""Drills and trainings that took place: when, what, who took part, how it went. Evidence of clause 5.2 (研修・訓練).

`hinomi drill --record-in` writes one by itself; what was held another way is added by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from hinomi.clock import JST, Clock
from hinomi.errors import InputError
from hinomi.faults import readable
from hinomi.identity import digest
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.counter import Counter

KIND = "exercise"
MOST_PEOPLE, LONGEST, LONGEST_RESULT = 2000, 200, 2000
"""Entries of who took part; signs of an entry or title, and of a result."""


class What(StrEnum):
    """Something that was practised, or something that was taught."""

    DRILL = "drill"
    TRAINING = "training"


class Exercise(BaseModel):
    """One that took place. people: who took part, as they were named (a section with its number counts as one entry);
    report: SHA-256 of the report's PDF, empty for none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: date
    what: What
    title: str
    people: list[str]
    result_ja: str = ""
    result_en: str = ""
    report: str = ""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Exercises:
    """Checks who records, writes the audit log, records. The same title of the same day is the same exercise, corrected, also
    where a drill turns out to have been a training: it keeps its report unless another is given. The audit log's entry says
    what is recorded now (as Exercise has it, without by and at) and, as `before`, each whole record that it replaces."""

    records: Records
    clock: Clock
    audit: Audit

    def add(
        self,
        what: What,
        on: date,
        title: str,
        people: Sequence[str],
        *,
        actor: str,
        roles: Sequence[str],
        result: Words | None = None,
        report: str = "",
    ) -> Record:
        """Record one. Raises InputError for a day ahead, nobody who took part, or a text that is no line."""
        Counter(self.records, self.clock, self.audit).worker(actor, roles, "exercise.add", title[:80])
        now, said = self.clock.now(), result or Words("", "")
        told = [
            _line(text, "結果", "the result", LONGEST_RESULT) if text.strip() else ""
            for text in (said.ja, said.en)
        ]
        if on > now.astimezone(JST).date():
            raise InputError("行った日は今日までの日付にしてください。", "the day must not lie ahead")
        named = participants(people)
        name = _line(title, "題名", "the title")
        identity = digest(KIND, on.isoformat(), name)
        earlier = self._earlier(identity, on, name)
        one = Exercise(
            on=on, what=what, title=name, people=named, by=actor, at=now, result_ja=told[0], result_en=told[1],
            report=report or next((str(old.body["report"]) for old in earlier if old.body.get("report")), ""),
        )  # fmt: skip
        details = one.model_dump(mode="json", exclude={"by", "at"}) | {
            "before": [old.body for old in earlier]
        }
        self.audit.append(actor=actor, action="exercise.add", target=identity, details=details)
        written = self.records.put(KIND, identity, one.model_dump(mode="json"))
        for old in earlier:
            if old.id != identity:
                self.records.delete(KIND, old.id)
        return written

    def _earlier(self, identity: str, on: date, title: str) -> list[Record]:
        """What is recorded of it; until the kind was something to correct, there could be one of each kind, named by it."""
        kinds = [digest(KIND, on.isoformat(), what.value, title) for what in What]
        found = [self.records.get(KIND, one) for one in (identity, *kinds)]
        return [one for one in found if one is not None]


def participants(people: Sequence[str]) -> list[str]:
    """Who took part, as they are recorded. Raises InputError for nobody, too many, or a name that is no line."""
    if not people or len(people) > MOST_PEOPLE:
        raise InputError(
            f"参加者を 1〜{MOST_PEOPLE} 件で指定してください。",
            f"name 1 to {MOST_PEOPLE} who took part",
        )
    return [_line(one, "参加者", "who took part") for one in people]


def held(records: Records) -> list[Exercise]:
    """Each, the newest first; a damaged one is logged and left out."""
    found = records.find(KIND, order="-on", limit=10_000)
    return list(readable(found, lambda one: one.read_as(Exercise)))


def _line(text: str, ja: str, en: str, longest: int = LONGEST) -> str:
    line = text.strip()
    if not line or len(line) > longest or not line.replace("\u3000", " ").isprintable():  # 山田　太郎
        raise InputError(
            f"{ja}は {longest} 字までの1行にしてください。", f"{en} must be one line of at most {longest}"
        )
    return line
