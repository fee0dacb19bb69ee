"""The table of controls (`controls.yaml`) as objects."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hinomi import yamlfile
from hinomi.words import Words, words

FILE = Path(__file__).with_name("controls.yaml")


@dataclass(frozen=True, slots=True)
class Ask:
    """A check as the table names it: its kind and what it is given."""

    kind: str
    given: Any


@dataclass(frozen=True, slots=True)
class Control:
    """One control. asks: what it wants, in our words; inferred: wording or number not read in a primary source;
    person: what only a person can confirm (empty: nothing)."""

    id: str
    clause: str
    title: Words
    asks: Words
    zones: tuple[str, ...]
    source: Words
    inferred: bool
    number_inferred: bool
    checks: tuple[Ask, ...]
    person: Words

    @property
    def chapter(self) -> str:
        """`3`, `6.1`, `law`: where the page groups it."""
        if not self.id.startswith("MIC-"):
            return "law"
        head = self.id.removeprefix("MIC-").split("-")[0].split(".")[0]
        return head if head.isdigit() else "more"


@cache
def controls() -> tuple[Control, ...]:
    """Every control in the table's order."""
    return tuple(_control(entry) for entry in yamlfile.read(FILE).value)


def _control(entry: dict[str, Any]) -> Control:
    return Control(
        id=entry["id"],
        clause=entry["clause"],
        title=words(entry["title"]),
        asks=words(entry["asks"]),
        zones=tuple(entry["zones"]),
        source=words(entry["source"]),
        inferred=entry["confidence"] != "verified",
        number_inferred=entry["numbering"] != "verified",
        checks=tuple(_ask(one) for one in entry.get("checks", ())),
        person=words(entry.get("person")),
    )


def _ask(one: object) -> Ask:
    if isinstance(one, dict):
        ((kind, given),) = one.items()
        return Ask(str(kind), given)
    return Ask(str(one), None)
