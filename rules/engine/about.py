"""What a rule says beside its detection, checked where pySigma does not look: our own keys, and baselines whole.

What Sigma leaves open may be missing, and so may stand empty (`settled`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson

from hinomi.alert import Level
from hinomi.words import Words
from rules.engine.blame import Fault


@dataclass(frozen=True, slots=True)
class _Shape:
    """What may stand at a key, and how that is said."""

    fits: Callable[[Any], bool]
    said: Words


def _is_name(value: Any) -> bool:
    """Text, or a number as YAML reads what stands without quotes (`6.2`, `7`): `Meta` makes text of it."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(_is_name(one) and one != "" for one in value)
    )


_NAME = _Shape(_is_name, Words("文字または数", "text or a number"))
_TEXT = _Shape(lambda value: isinstance(value, str), Words("文字", "text"))
_TEXTS = _Shape(_is_texts, Words("文字、または文字の並び", "text or a list of texts"))
_MAPPING = _Shape(lambda value: isinstance(value, Mapping), Words("「キー: 値」の形", "a mapping of keys"))
_LEVEL = _Shape(
    lambda value: isinstance(value, str) and value in list(Level),
    Words("、".join(Level) + " のどれか", f"one of {', '.join(Level)}"),
)

_OURS = {
    "hinomi": _MAPPING,
    "hinomi.entity": _TEXTS,
    "hinomi.guideline": _TEXTS,
    "hinomi.playbook": _TEXT,
    "hinomi.no_playbook_ja": _TEXT,
    "hinomi.no_playbook_en": _TEXT,
}
_BASELINE = {
    "title": _NAME,
    "id": _NAME,
    "level": _LEVEL,
    "tags": _TEXTS,
    "baseline": _MAPPING,
    "baseline.type": _TEXT,
    "baseline.rules": _TEXTS,
    "baseline.entity": _TEXT,
}
_CORRELATION = {
    "correlation": _MAPPING,
    "correlation.rules": _TEXTS,
    "correlation.group-by": _TEXTS,
}


def fault(value: Any) -> Fault | None:
    """The first key of a rule that holds something else than it may."""
    if not isinstance(value, Mapping):
        return None
    kinds = {"baseline": _BASELINE, "correlation": _CORRELATION}
    own = next((shapes for kind, shapes in kinds.items() if kind in value), {})
    return next(_faults(value, {**_OURS, **own}), None)


def _faults(value: Mapping[str, Any], shapes: Mapping[str, _Shape]) -> Iterator[Fault]:
    for path, shape in shapes.items():
        held = _at(value, path)
        if held is not None and not shape.fits(held):
            said = shape.said
            yield Fault(
                path, Words(f"{path} は{said.ja}で書いてください。", f"{path} is written as {said.en}")
            )


def _at(value: Mapping[str, Any], path: str) -> Any:
    held: Any = value
    for key in path.split("."):
        held = held.get(key) if isinstance(held, Mapping) else None
    return held


def settled(value: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A correlation or baseline (kind) with what it leaves open: an id made of what it says, Sigma's level where none is
    given; the rules that it names as a list."""
    made = str(uuid5(NAMESPACE_OID, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()))
    given = {key: held for key, held in value.items() if held is not None}
    body = dict(value[kind] or {})
    named = body.get("rules") or []
    body["rules"] = [named] if isinstance(named, str) else named
    return {"level": "medium", "tags": [], **given, "id": str(given.get("id") or made), kind: body}
