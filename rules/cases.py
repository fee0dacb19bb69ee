"""Test cases beside a rule (`<rule>.test.yml`): what happens, when, and when it comes to us.

A file is a list of cases: `name`, `match` (whether the file's rules must raise an alert), `rule` (the name of the one rule that
is meant, in a file of several), `alerts` (how many), `dataset` (where it is not the one that feeds the rule) and `events`. An
event is either flat ECS fields, or `raw` (a log line, parsed by the real source of its dataset) with the fields of enrichment
under `enrich`; with either come
  at       an offset from the case's start such as `5m`, or an ISO time (a raw line without it keeps its own)
  arrives  the same, for one that comes late or out of turn; without it an event comes when it happens
  repeat, every   so many, so far apart; `{i}` in a value is the number of the repetition
  dataset, source   where it is not the case's
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from collectors.framed import frame_of
from hinomi import ecs, yamlfile
from hinomi.batch import Batch
from hinomi.errors import ContentError, Where
from hinomi.identity import digest
from rules.case import Written, whole, wrong
from rules.case_lines import Lines

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
_OFFSET = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OURS = frozenset({"at", "arrives", "repeat", "every", "dataset", "raw", "source", "enrich"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: when it happened, when it comes to us (late or out of turn: `late`), where, with which fields."""

    at: datetime
    arrives: datetime
    late: bool
    dataset: str
    fields: Mapping[str, Any]


def read(file: Path) -> Iterator[tuple[str, Written]]:
    """(name, case) of each case of a file. Raises ContentError naming file, line and key."""
    document = yamlfile.read(file)
    cases = document.value or []
    if not isinstance(cases, list):
        raise wrong(document.places.where(""), "テストの一覧が必要です。", "a list of cases is required")
    for index, case in enumerate(cases):
        if not isinstance(case, dict) or not {"name", "match", "events"} <= case.keys():
            raise wrong(
                document.places.where(str(index)),
                "name、match、events が必要です。",
                "name, match and events are required",
            )
        written = Written(case, document.places, str(index))
        written.check()
        yield str(case["name"]), written


def batches(case: Written, dataset: str, lines: Lines | None = None) -> Iterator[tuple[datetime, Batch]]:
    """(time of arrival, batch) in order of arrival: what comes in turn together, what comes late by itself.

    dataset: where those events are that do not say; lines: raw lines that are known already.
    """
    known = lines or Lines(START)
    known.read(raw_lines(case, dataset))
    found = [
        one
        for index, event in enumerate(case.body["events"])
        for one in _repeated(case, index, event, dataset, known)
    ]
    ordered = enumerate(sorted(found, key=lambda one: (one.arrives, one.at)))
    for (name, _), run in groupby(
        ordered, key=lambda pair: (pair[1].dataset, pair[1].late and pair[1].arrives)
    ):
        pairs = list(run)
        arrived = max(one.arrives for _, one in pairs)
        rows = [
            {**one.fields, "event.id": digest(str(case.where()), name, str(number))} for number, one in pairs
        ]
        yield arrived, Batch.of(name, _frame(rows, [one.at for _, one in pairs]), ingested=arrived)


def _frame(rows: Sequence[Mapping[str, Any]], times: Sequence[datetime]) -> pl.DataFrame:
    return frame_of(rows).with_columns(pl.Series("@timestamp", times, dtype=ecs.TIME))


def raw_lines(case: Written, dataset: str) -> Iterator[tuple[str, str]]:
    """(source, line) of each raw line of a case."""
    for index, event in enumerate(case.body["events"]):
        if "raw" in event:
            for i in range(whole(event.get("repeat", 1), case.where("events", index, "repeat"))):
                yield _source(event, dataset), _numbered(str(event["raw"]), i)


def _source(event: Mapping[str, Any], dataset: str) -> str:
    return str(event.get("dataset") or event.get("source") or dataset)


def _repeated(
    case: Written, index: int, event: Mapping[str, Any], dataset: str, lines: Lines
) -> Iterator[Happening]:
    name = _source(event, dataset)
    every = _offset(str(event.get("every", "1s")), case.where("events", index, "every"))
    for i in range(whole(event.get("repeat", 1), case.where("events", index, "repeat"))):
        numbered = {key: _numbered(value, i) for key, value in event.items()}
        fields, own_time = _fields(numbered, name, case.where("events", index, "raw"), lines)
        at = _moment(case, index, event, "at") or own_time or START
        arrives = _moment(case, index, event, "arrives")
        yield Happening(at + every * i, (arrives or at) + every * i, arrives is not None, name, fields)


def _fields(
    event: Mapping[str, Any], dataset: str, where: Where, lines: Lines
) -> tuple[dict[str, Any], datetime | None]:
    """The event's fields, and the time that a raw line itself tells."""
    if "raw" not in event:
        return {key: value for key, value in event.items() if key not in _OURS}, None
    parsed = lines.of(dataset, str(event["raw"]))
    if parsed is None:
        raise wrong(
            where,
            f"ソース「{dataset}」はこの行を読めません。",
            f'source "{dataset}" does not understand the line',
        )
    own = {name: value for name, value in parsed.items() if name != "@timestamp"}
    return {**own, **(event.get("enrich") or {})}, parsed.get("@timestamp")


def _numbered(value: Any, i: int) -> Any:
    if isinstance(value, str):
        return value.replace("{i}", str(i + 1))
    if isinstance(value, dict):
        return {key: _numbered(item, i) for key, item in value.items()}
    return [_numbered(item, i) for item in value] if isinstance(value, list) else value


def _moment(case: Written, index: int, event: Mapping[str, Any], key: str) -> datetime | None:
    return _time(str(event[key]), case.where("events", index, key)) if key in event else None


def _time(text: str, where: Where) -> datetime:
    if _OFFSET.fullmatch(text):
        return START + _offset(text, where)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(where, f"「{text}」は時刻ではありません。", f'"{text}" is not a time') from None
    if moment.tzinfo is None:  # else a case would hold on one machine and not on another
        raise wrong(
            where,
            f"「{text}」に +09:00 のような時差がありません。",
            f'"{text}" lacks an offset such as +09:00',
        )
    return moment.astimezone(UTC)


def _offset(text: str, where: Where) -> timedelta:
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ContentError(
            f"「{text}」は 5m のような長さではありません。",
            f'"{text}" is not a length such as 5m',
            where=where,
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
