"""Events made out of a Windows rule, written as Windows writes them: a JSON line of an EVTX record, in the rule's own names.

Nothing of our own tables stands in it: channels and event ids are those of Sigma's taxonomy appendix, so that a field or a
channel that a table takes for another is seen.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules.engine.expression import Expression
from tests.oracle import sigma_oracle
from tests.oracle.provoked import AS_WRITTEN, Provoker

_ROW = re.compile(r"^\|[^|]*\|([^|]*product: windows[^|]*)\|([^|]*)\|", re.MULTILINE)
_HEADER = ("Level", "Keywords", "Task", "Opcode")
_SPACED = {
    "NewValue": "New Value",
    "OldValue": "Old Value",
    "SourceName": "Source Name",
    "ProcessName": "Process Name",
    "ThreatName": "Threat Name",
    "Feature_Name": "Feature Name",
}
"""Data of Defender's events: Sigma's names are theirs without the spaces (SigmaHQ's guide, "strip all spaces")."""
_TRIES = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log source's events are: channel, and the event ids of its category (none: the rule says)."""

    channel: str
    codes: tuple[str, ...]


def places(appendix: Path) -> dict[tuple[str, str], Place]:
    """By (category, service) the place that the appendix names."""
    found = {}
    for source, said in _ROW.findall(appendix.read_text(encoding="utf-8")):
        named = dict(re.findall(r"(category|service): *([^\s<|]+)", source))
        ids, _, channels = said.partition("Channel:")
        if channels:
            first = next(part.strip() for part in re.split(r"<br>|- ", channels) if part.strip())
            found[named.get("category", ""), named.get("service", "")] = Place(
                first, tuple(re.findall(r"\d+", ids))
            )
    return found


def events(
    said: Expression, written: Mapping[str, Any], place: Place, seed: int, *, hits: bool
) -> Iterator[dict[str, str]]:
    """Events in Sigma's names of which the slow evaluator says that the rule holds (or does not)."""
    for attempt in range(_TRIES):
        chance = random.Random(seed * _TRIES + attempt)
        made = Provoker(AS_WRITTEN, seed * _TRIES + attempt).event(said)
        code = chance.choice(place.codes) if place.codes else "1"
        event = {"EventID": code, "Channel": place.channel, "Provider_Name": "A provider", **made}
        fits = event["EventID"].isdigit() and (not place.codes or event["EventID"] in place.codes)
        if fits and sigma_oracle.holds(written, event) == hits:
            yield event


def line(event: Mapping[str, str], place: Place) -> str:
    """The record. A channel that the event names beside its own is a datum of it (the log that was cleared)."""
    system: dict[str, Any] = {
        "Provider": {"#attributes": {"Name": event["Provider_Name"]}},
        "EventID": int(event["EventID"]),
        "Channel": place.channel,
        "Computer": event.get("Computer", event.get("ComputerName", "pc1")),
        "TimeCreated": {"#attributes": {"SystemTime": "2026-11-23T00:00:00.000000Z"}},
        **{name: event[name] for name in _HEADER if name in event},
    }
    data = {
        _named(name, place): value
        for name, value in event.items()
        if name not in {*_HEADER, "EventID", "Provider_Name", "Computer", "ComputerName"}
        and (name, value) != ("Channel", place.channel)
    }
    return json.dumps({"Event": {"System": system, "EventData": data}}, ensure_ascii=False)


def _named(name: str, place: Place) -> str:
    if name in ("message", "Message"):
        return "Data"
    return _SPACED.get(name, name) if "Defender" in place.channel else name
