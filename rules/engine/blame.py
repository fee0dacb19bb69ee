"""Where in a detection the mistake is, and what may stand there: pySigma says only that there is one.

Each field and value is read alone, the one that cannot be is to blame.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sigma import modifiers
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetectionItem

from hinomi.words import Words
from hinomi.yamlfile import Document, Places
from rules.engine import spelling

_BESIDE_NULL = frozenset(["all", "neq", "expand"])
_DURATION = re.compile(r"[0-9]+[smhdwMy]")
_FAULTS = (SigmaError, TypeError, ValueError, AttributeError, KeyError)
"""What pySigma raises for values that it does not foresee, beside its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: the dotted path of its key in the document, and what to do. theirs: pySigma's own words."""

    path: str
    said: Words
    theirs: str = ""


def silent(document: Document) -> Fault | None:
    """What pySigma takes and what yet cannot be meant: it would match nothing, or something else, and nobody would know."""
    section = section_of(document.value)
    searches = _searches(document.value, section)
    return next(
        (
            fault
            for name, body in searches
            for fault in _silent(name, body, f"{section}.{name}", document.places)
        ),
        None,
    )


def find(document: Document) -> Fault | None:
    """The first field or value that cannot be read alone; None where each can."""
    section = section_of(document.value)
    searches = _searches(document.value, section)
    return next((fault for name, body in searches for fault in _of_search(body, f"{section}.{name}")), None)


def section_of(value: Any) -> str:
    """The key under which a document has its searches."""
    return "filter" if isinstance(value, Mapping) and "filter" in value else "detection"


def _searches(value: Any, section: str) -> list[tuple[str, Any]]:
    detection = value.get(section) if isinstance(value, Mapping) else None
    if not isinstance(detection, Mapping):
        return []
    return [(str(name), body) for name, body in detection.items() if name not in _NO_SEARCHES[section]]


_NO_SEARCHES = {"detection": ("condition",), "filter": ("condition", "rules")}


def _silent(name: str, body: Any, path: str, places: Places) -> Iterator[Fault]:
    if name == "timeframe" and _DURATION.fullmatch(str(body)):
        yield Fault(path, _TIMEFRAME)
    if body in (None, [], {}):
        said = Words(
            f"検索「{name}」に中身がありません。欄と値を書くか、検索ごと消してください。",
            f'the search "{name}" is empty; write fields and values, or remove it',
        )
        yield Fault(path, said)
    yield from _misread(path, places)


_TIMEFRAME = Words(
    "timeframe は古い書き方で、ここに置いても効きません。消すか、相関(correlation)の timespan に書いてください。",
    "`timeframe` is of an earlier Sigma and does nothing here; remove it, or write a correlation with `timespan`",
)


def _of_search(body: Any, path: str) -> Iterator[Fault]:
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from _of_item(key, value, f"{path}.{key}")
    elif isinstance(body, list) and any(isinstance(part, Mapping | list) for part in body):
        for index, part in enumerate(body):
            yield from _of_search(part, f"{path}.{index}")


def _of_item(key: Any, value: Any, path: str) -> Iterator[Fault]:
    unknown = [name for name in str(key).split("|")[1:] if name not in modifiers.modifier_mapping]
    if unknown:
        yield Fault(path, _no_such_modifier(unknown[0]))
        return
    if _read(key, value) is None:
        return
    for index, one in enumerate(value if isinstance(value, list) else []):
        if (error := _read(key, one)) is not None:
            yield Fault(f"{path}.{index}", _wrong(str(key), one), _theirs(error))
            return
    error = _read(key, value)
    assert error is not None
    yield Fault(path, _wrong(str(key), value), _theirs(error))


def _read(key: Any, value: Any) -> Exception | None:
    values = value if isinstance(value, list) else [value]
    if None in values and not set(str(key).split("|")[1:]) <= _BESIDE_NULL:
        return ValueError()  # pySigma says so of most modifiers, and of `re` only later
    try:
        SigmaDetectionItem.from_mapping(*spelling.item(key, value))
    except _FAULTS as error:
        return error
    return None


def _theirs(error: Exception) -> str:
    """pySigma's words where they say more than a Python type."""
    text = str(error.args[0]) if error.args else ""
    return text if isinstance(error, SigmaError) and "incompatible to value type" not in text else ""


def _no_such_modifier(name: str) -> Words:
    near = difflib.get_close_matches(name, sorted(modifiers.modifier_mapping), n=3, cutoff=0.5)
    there = near or sorted(modifiers.modifier_mapping)
    return Words(
        f"修飾子「|{name}」はありません。{'近いもの' if near else 'あるもの'}: {'、'.join(there)}。",
        f'there is no modifier "|{name}"; {"near" if near else "there is"}: {", ".join(there)}',
    )


def _wrong(key: str, value: Any) -> Words:
    """What may stand in a field of these modifiers."""
    given = set(key.split("|")[1:])
    shown = "null" if value is None else str(value)
    fitting = ((ja, en) for kinds, ja, en in _EXPECTED if kinds & given)
    ja, en = _NULL if value is None else next(fitting, _plain(value))
    return Words(f"欄「{key}」の値「{shown}」: {ja}。", f'the value "{shown}" of "{key}": {en}')


_NULL = (
    "null を修飾子と並べられません。検索を分けて「欄: null」と書いてください",
    "null goes with no modifier; write a search of its own, `field: null`",
)


def _plain(value: Any) -> tuple[str, str]:
    if isinstance(value, Mapping | list):
        return (
            "値は文字列、数、true、false、null のどれかです",
            "a value is a text, a number, true, false or null",
        )
    return "この修飾子とは組み合わせられません", "it does not go with these modifiers"


_EXPECTED: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        spelling.COMPARED,
        "数を一つの比較で書いてください(例: 100)",
        "it takes a number and one comparison, such as 100",
    ),
    (spelling.PARTS, "時刻の部分は数で書いてください(例: hour なら 0 から 23)", "a part of time is a number"),
    (frozenset({"exists"}), "true か false を書いてください", "it takes true or false"),
    (
        frozenset({"cidr"}),
        "192.0.2.0/24 のようなネットワークを書いてください(ホスト部は 0)",
        "it takes a network such as 192.0.2.0/24, its host bits 0",
    ),
    (frozenset({"re"}), "正規表現として読めません", "it is no regular expression that can be used"),
    (frozenset({"fieldref"}), "ほかの欄の名を書いてください", "it takes the name of another field"),
    (
        frozenset({"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"}),
        "ワイルドカードのない文字列を書いてください",
        "it takes a text without wildcards",
    ),
    (frozenset({"windash"}), "ダッシュは一つの値に五つまでです", "at most five dashes in one value"),
)


def _misread(path: str, places: Places) -> Iterator[Fault]:
    """Values without quotes that YAML reads as something else than is written: `NO` (false), 010 (8), 12:30 (750)."""
    for place, text in places.written.items():
        if not place.startswith(f"{path}.") or _as_written(text, numeric=_counts(place)):
            continue
        said = Words(
            f"値 {text} は引用符がないため、YAML では別の値(真偽・数・時刻)になります。文字のとおりなら '{text}' と囲んでください。",
            f"without quotes YAML reads {text} as another value (a truth, number or time); write '{text}' if it is meant as it stands",
        )
        yield Fault(place, said)


def _counts(place: str) -> bool:
    """Whether a modifier of the field at this place compares numbers."""
    return bool((spelling.COMPARED | spelling.PARTS | {"exists"}) & set(re.findall(r"\|([a-z0-9]+)", place)))


def _as_written(text: str, *, numeric: bool) -> bool:
    """Whether YAML's value is the text again; a number that is compared may be written in any way."""
    if numeric or text.lower() in ("true", "false"):
        return True
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return True
    if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
        return str(float(text)) == text  # of 1.10 YAML makes 1.1
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
