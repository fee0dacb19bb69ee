"""The duties, as `duties.yaml` holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hinomi import yamlfile
from hinomi.errors import InputError
from hinomi.incident import Incident
from hinomi.words import Words, words

FILE = Path(__file__).with_name("duties.yaml")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a report holds."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty. rule: how days are counted, None where no number of days is laid down; inferred, due_inferred: the
    source does not say it in so many words."""

    id: str
    to: Words
    what: Words
    when: Words
    binding: str
    inferred: bool
    due_inferred: bool
    items: tuple[Item, ...]
    zones: frozenset[str]
    grade: int | None
    rule: Mapping[str, Any] | None
    note: Words


@cache
def duties() -> dict[str, Duty]:
    """All duties by id."""
    content = yamlfile.read(FILE).value
    sets = {
        name: tuple(Item(one["key"], one["ja"]) for one in items) for name, items in content["sets"].items()
    }
    return {name: _duty(name, entry, sets) for name, entry in content["duties"].items()}


def duty(identity: str) -> Duty:
    """One duty. Raises InputError."""
    found = duties().get(identity)
    if found is None:
        raise InputError(
            f"報告の種類「{identity}」はありません。使えるもの: {', '.join(duties())}",
            f'no duty "{identity}"; there are: {", ".join(duties())}',
        )
    return found


def touched(incident: Incident) -> list[Duty]:
    """Duties that the incident's zones and grade bring up: a reminder, not a judgement."""
    zones = set(incident.zones)
    return [
        one
        for one in duties().values()
        if zones & one.zones or (one.grade is not None and incident.grade >= one.grade)
    ]


def _duty(name: str, entry: Mapping[str, Any], sets: Mapping[str, tuple[Item, ...]]) -> Duty:
    return Duty(
        id=name,
        to=words(entry["to"]),
        what=words(entry["what"]),
        when=words(entry["when"]),
        binding=str(entry["binding"]),
        inferred=entry["confidence"] != "verified",
        due_inferred=entry.get("due_confidence", entry["confidence"]) != "verified",
        items=sets[entry["items"]],
        zones=frozenset(entry.get("zones", [])),
        grade=entry.get("grade"),
        rule=entry.get("due"),
        note=words(entry.get("note", "")),
    )
