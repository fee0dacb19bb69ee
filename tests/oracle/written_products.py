"""Events made out of a rule of any product but Windows, written as that product writes them.

Nothing of our own tables stands in it. Most rules name the vendor's own fields: these go where their path says, into a short
record of that vendor (`written_products.yml`); what a product writes as a line of text is in `written_lines`.
"""

import copy
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rules.engine.expression import Expression
from tests.oracle import sigma_oracle
from tests.oracle.provoked import AS_WRITTEN, KEYWORD, Provoker

Event = Mapping[str, str]
Form = Callable[[Event], str | None]
"""The record of an event; None where it cannot hold these values (a blank in a URL)."""
Place = tuple[str | None, str | None, str | None]
"""Product, category, service."""
_RECORDS = Path(__file__).with_suffix(".yml")
_TRIES = 60
_TRUTHS = {"true": "false", "false": "true", "True": "False", "False": "True"}


def events(
    said: Expression, written: Mapping[str, Any], values: Mapping[str, list[str]]
) -> Iterator[dict[str, str]]:
    """Events in Sigma's names of which the slow evaluator says that the rule holds. values: of placeholders.

    The same for a rule whatever others there are.
    """
    seed = zlib.crc32(str(written["id"]).encode()) * _TRIES
    for attempt in range(_TRIES):
        event = _Cased(AS_WRITTEN, seed + attempt, values).event(said)
        empty = "" in event.values() and attempt < _TRIES // 2  # products leave out what is empty
        if not empty and sigma_oracle.holds(written, event, values):
            yield event


def nearly(
    form: Form, event: Event, written: Mapping[str, Any], values: Mapping[str, list[str]]
) -> Iterator[str]:
    """Records of the event with one value changed of which the slow evaluator says that the rule holds no more."""
    fixed = form.fixed if isinstance(form, Json) else ()
    for name, value in event.items():
        for other in () if name in fixed else _others(value):
            changed = {**event, name: other}
            if not sigma_oracle.holds(written, changed, values) and (line := form(changed)):
                yield line


def _others(value: str) -> tuple[str, ...]:
    """Values of the same kind: truths, numbers, texts."""
    if value in _TRUTHS:
        return (_TRUTHS[value],)
    return ("7", "65001") if value.isdigit() else ("zz", "/zz")


class _Cased(Provoker):
    """Values in the rule's own case: products write theirs in one. Texts without a field stand in one line, one after the other."""

    def _put(self, column: str, where: str, text: str) -> str:
        if column != KEYWORD or where == "absent":
            return super()._put(column, where, text)
        before = self.parts.get(column, {}).get("middle", "")
        return super()._put(column, "middle", f" {text}" if before else text)

    def _part(self, part: Any) -> str:
        return part if isinstance(part, str) else super()._part(part)

    def _changed(self, value: str) -> str:
        return f"{value}y"


@dataclass(frozen=True)
class Json:
    """A JSON record: what it says anyhow; where it has a field; where a text without a field stands; names with dots as they are.

    fixed: names of rules for what the record says anyhow, in other words; lacks: names for which it has no place.
    """

    record: Mapping[str, Any]
    paths: Mapping[str, str] = field(default_factory=dict)
    keyword: str = "message"
    dotted: bool = False
    fixed: Collection[str] = ()
    lacks: Collection[str] = ()

    def __call__(self, event: Event) -> str | None:
        if not set(self.lacks).isdisjoint(event):
            return None
        record = copy.deepcopy(dict(self.record))
        for name, value in event.items():
            path = self.keyword if name == KEYWORD else self.paths.get(name, name)
            put(record, [path] if self.dotted else path.split("."), _typed(value))
        return json.dumps(record, ensure_ascii=False)


def records() -> dict[tuple[Place, str], Form]:
    """By log source and the form's name the forms that are JSON."""
    said = yaml.load(_RECORDS.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {(tuple(one.pop("logsource")), one.pop("form")): Json(**one) for one in said}


def _typed(value: str) -> Any:
    """A text as JSON has it: numbers and truths are such."""
    if value.isdigit() and str(int(value)) == value:
        return int(value)
    return {"true": True, "false": False}.get(value, value)


def put(record: dict[str, Any], path: list[str], value: Any) -> None:
    """Set what stands below these names, `[]` behind one that is a list of objects or of values."""
    name, *rest = path
    key = name.removesuffix("[]")
    if not rest:
        record[key] = value if key == name else [value]
        return
    held = record.setdefault(key, {} if key == name else [{}])
    put(held[0] if isinstance(held, list) else held, rest, value)
