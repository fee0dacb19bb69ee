"""`hinomi rules draft`: the event found, drafted, tried against itself, and written with the first of its tests."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi import ecs
from hinomi.clock import JST, SystemClock
from hinomi.errors import InputError
from hinomi.named import named
from ops.explained import read_event
from ops.opened import opened
from rules import drafting, engine
from rules.engine import logsource
from rules.engine.explain import batch_of
from rules.scalar import scalar

_OWN = (
    "event.id",
    "event.ingested",
    "event.created",
    "event.dataset",
    "event.module",
    "event.kind",
    "@timestamp",
)


@dataclass(frozen=True, slots=True)
class Drafted:
    """rule, test: as YAML; matches: whether the rule holds of its own event."""

    rule: str
    test: str
    matches: bool

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"rule": self.rule, "test": self.test, "matches": self.matches}

    def write(self, path: Path) -> Iterator[Path]:
        """Write the rule and the test beside it. Raises InputError where one is there already."""
        beside = path.with_name(f"{path.stem}.test.yml")
        for file, text in ((path, self.rule), (beside, self.test)):
            with named(file, "書けません", "cannot be written"), file.open("x", encoding="utf-8") as handle:
                handle.write(text)
            yield file


def draft(reference: str, data: Path | None, dataset: str, author: str) -> Drafted:
    """A rule out of the event of this id in a store, or of this JSON file. Raises InputError."""
    event = _stored(reference, data) if data is not None else read_event(Path(reference))
    flat = {name: value for name, value in ecs.flatten(event) if value is not None}
    flat |= {"event.dataset": dataset} if dataset else {}
    if not flat.get("event.dataset"):
        raise InputError(
            "どのログのイベントか分かりません。--dataset を指定してください。",
            "the event names no dataset: give --dataset",
        )
    today = SystemClock().now().astimezone(JST).date()
    rule = drafting.draft(flat, logsource.read(), identity=str(uuid.uuid4()), author=author, today=today)
    return Drafted(rule, _test(flat), _holds(rule, flat))


def _stored(identity: str, data: Path) -> dict[str, Any]:
    with opened(data) as place:
        found = place.events.get([identity])
    if not found:
        raise InputError(
            f"イベント「{identity}」は保存されていません。", f'there is no event "{identity}" in the store'
        )
    return found[0]


def _holds(rule: str, event: Mapping[str, Any]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "draft.yml"
        file.write_text(rule, encoding="utf-8")
        loaded = engine.load([file])
        return bool(loaded.rules) and bool(loaded.match(batch_of(event)).hits)


def _test(event: Mapping[str, Any]) -> str:
    """The event as the first case; what it must not match is the author's to find."""
    dataset, raw = str(event["event.dataset"]), event.get("event.original")
    lines = [
        "# 当たる例を2つ以上、当たってはならない例を2つ以上にしてください。",
        "# Two cases that match, two that must not.",
    ]
    lines += [f"- name: {scalar('下書きのもとになったイベント')}", "  match: true", "  events:", "  - at: 0s"]
    if raw:
        lines += [f"    source: {scalar(dataset)}", f"    raw: {scalar(str(raw))}"]
    else:
        own = {name: value for name, value in event.items() if name not in _OWN}
        lines += [
            f"    dataset: {scalar(dataset)}",
            *(f"    {scalar(k)}: {_value(v)}" for k, v in own.items()),
        ]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else scalar(str(value))
