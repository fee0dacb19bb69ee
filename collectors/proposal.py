"""A proposed mapping for a sample: what each column probably is, by its name and by what stands in it.

The proposal is a file that a person reads, corrects and keeps: what was guessed is said in comments, and a column that
nobody understood is left where it is, under the source's own name.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl
import yaml

from collectors import times
from collectors.addresses import is_address
from collectors.field_names import field_of, outcome_of
from collectors.sample import Sample

_CLOCKS = (times.JAPANESE, times.ISO, "epoch", "epoch_ms", "%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S%.f",
           "%d/%b/%Y:%H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%Y%m%d %H:%M:%S")  # fmt: skip
_ENOUGH = 0.9
_SIGN_IN = {"ログイン", "ログオン", "サインイン", "login", "logon", "signin", "sign in", "認証"}
_MOST_VALUES = 12
_FEW = 6


@dataclass(slots=True)
class Proposal:
    """fields: column → target as a declaration writes it; unknown: columns that have no target, in order."""

    fields: dict[str, object] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def has_time(self) -> bool:
        """Whether a column was taken for the time of the event."""
        return any(
            isinstance(target, dict) and target.get("to") == "@timestamp" for target in self.fields.values()
        )


def propose(sample: Sample) -> Proposal:
    """What each column is. A field is given to one column only: the first that has its name, else its values."""
    found, taken = Proposal(), set[str]()
    for column, values in sample.columns.items():
        target = _target(column, values, taken)
        if target is None:
            found.unknown.append(column)
            continue
        found.fields[column] = target
        taken.add(str(target["to"]) if isinstance(target, dict) else str(target))
    return found


def _target(column: str, values: list[str], taken: set[str]) -> object | None:
    name = field_of(column)
    if name == "@timestamp" or name is None:
        clock = _clock(values)
        if clock is not None and "@timestamp" not in taken:
            return {"to": "@timestamp", "type": "time", **clock}
        name = None if name == "@timestamp" else name
    if name is None and _share(values, is_address) >= _ENOUGH:
        name = next((end for end in ("source.ip", "destination.ip") if end not in taken), None)
    if name is None or name in taken:
        return None
    if name.endswith(".ip"):
        return {"to": name, "type": "ip"} if _share(values, is_address) >= 0.5 or not values else None
    if name == "event.outcome":
        return _outcome(values)
    if name == "user.name":
        return {"to": name, "type": "lower"}
    return name


def _outcome(values: list[str]) -> object | None:
    words = [word for word, _ in Counter(values).most_common(_MOST_VALUES)]
    known = {word: outcome for word in words if (outcome := outcome_of(word))}
    return {"to": "event.outcome", "values": known, "otherwise": "unknown"} if known else None


def _clock(values: list[str]) -> dict[str, list[str]] | None:
    """`formats` of the first kind of time that nearly all values are; none needed for the usual ones."""
    if not values:
        return None
    series = pl.DataFrame({"v": values[:500]})
    for form in _CLOCKS:
        read = series.select(times.parsed(pl.col("v"), [form], times.zone())).to_series()
        if read.len() - read.null_count() >= _ENOUGH * read.len():
            return {} if form in (times.JAPANESE, times.ISO) else {"formats": [form]}
    return None


def _share(values: list[str], fits: object) -> float:
    return sum(map(fits, values)) / len(values) if values and callable(fits) else 0.0


def as_yaml(name: str, sample: Sample, found: Proposal, *, title_ja: str, title_en: str) -> str:
    """The file `<name>.source.yml`: what was guessed, and in comments what was not."""
    head: dict[str, object] = {
        "source": name,
        "title": {"ja": title_ja, "en": title_en},
        "format": sample.form,
        "encoding": sample.encoding,
    }
    if sample.form == "csv":
        head["columns"] = list(sample.columns)
        if sample.delimiter != ",":
            head["delimiter"] = sample.delimiter
        if not sample.header:
            head["header"] = False
    recognise = _recognise(sample)
    if recognise:
        head["recognise"] = recognise
    category, kind = _meaning(sample, found)
    head["constants"] = {"event.kind": "event", "event.category": category, "event.type": kind}
    head["fields"] = found.fields
    people = [
        column for column, target in found.fields.items() if target == {"to": "user.name", "type": "lower"}
    ]
    if people:
        head["required"] = people
    notes = [
        "# `hinomi sources new` が見本から提案した対応表です。行き先と event.category を確かめてから使ってください。",
        "# Proposed from a sample by `hinomi sources new`: check the targets and event.category before use.",
    ]
    if not found.has_time:
        notes.append(
            "# 時刻の列が見つかりません。届いた時刻を使います。/ No column is a time: the time of arrival is used."
        )
    tail = [
        f"# 行き先のない列(`{name}.<列名>` として残ります)/ kept under the source's own name: {', '.join(found.unknown)}"
    ] if found.unknown else []  # fmt: skip
    body = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=110)
    return "\n".join([*notes, body.rstrip("\n"), *tail]) + "\n"


def _recognise(sample: Sample) -> str:
    names = [name for name in sample.columns if name]
    if sample.form == "csv" and sample.header and len(names) > 1:
        first, second = (re.escape(name) for name in names[:2])
        return rf'^\W*{first}"?{re.escape(sample.delimiter)}"?{second}|{_row(sample)}'
    if sample.form == "json" and len(names) > 1:
        top = list(dict.fromkeys(name.partition(".")[0] for name in names))[:2]
        return ".*".join(rf'"{re.escape(name)}"\s*:' for name in top)
    return ""


def _row(sample: Sample) -> str:
    """What a line of the table has: as many values as columns, each of the kind that the sample has there."""
    sign = re.escape(sample.delimiter)
    cells = [_cell(values, len(sample.lines), sign) for values in sample.columns.values()]
    return f"^{sign.join(cells)}$"


def _cell(values: list[str], rows: int, sign: str) -> str:
    """A value of a column: one of few words, a number, an address, something with digits, or anything."""
    words = sorted(set(values))
    if len(words) <= _FEW and len(values) >= 2 * len(words):
        kind = "(?:" + "|".join(map(re.escape, words)) + ")"
    elif values and all(map(str.isdecimal, values)):
        kind = r"\d+"
    elif values and all(map(is_address, values)):
        kind = r"[0-9A-Fa-f.:]+"
    elif values and all(re.search(r"\d", value) and not re.search(f'["{sign}]', value) for value in values):
        kind = rf'[^"{sign}]*\d[^"{sign}]*'
    else:
        return rf'(?:"(?:[^"]|"")*"|[^"{sign}]*)'
    return rf'"?\s*{kind}\s*"?' if len(values) >= rows else rf'(?:"?\s*{kind}\s*"?|"?\s*"?)'


def _meaning(sample: Sample, found: Proposal) -> tuple[list[str], list[str]]:
    """event.category and event.type that fit most: sign-ins, files, web pages, else a host's doings."""
    targets = {str(t["to"]) if isinstance(t, dict) else str(t) for t in found.fields.values()}
    acts = {value.lower() for column, target in found.fields.items() if target == "event.action"
            for value in sample.columns[column]}  # fmt: skip
    if acts and all(any(word in act for word in _SIGN_IN) for act in acts):
        return ["authentication"], ["start"]
    if {"file.name", "file.path"} & targets:
        return ["file"], ["access"]
    if {"url.original", "http.request.method"} & targets:
        return ["web"], ["access"]
    if {"email.subject", "email.from.address"} & targets:
        return ["email"], ["info"]
    return ["host"], ["info"]
