"""Rules as content: does everything load, and does each rule do what the tests beside it say?

`<rule>.test.yml` is a list of cases: `name`, `match` (whether the file's rules must raise an alert), `dataset`
(where not the rule's own), `alerts` (how many) and `events`: flat ECS fields with `at` (an offset such
as `5m`, or an ISO time) and `repeat`/`every`; `{i}` in a value is the number of the repetition.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from collectors.source import frame_of
from hinomi import yamlfile
from hinomi.alert import Alert
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.errors import ContentError, Where
from hinomi.identity import digest
from rules import engine
from rules.correlation import Correlator

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
_OFFSET = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Report:
    """What loading showed. feeds: rules that each dataset of ours can feed; problems, unsupported: in words."""

    loaded: int
    correlations: int
    baselines: int
    unsupported: list[tuple[str, str, str]]
    problems: list[str]
    feeds: dict[str, int]
    unfed: int

    def as_json(self) -> dict[str, Any]:
        """For `hinomi rules check --json`."""
        return {
            "loaded": self.loaded,
            "correlations": self.correlations,
            "baselines": self.baselines,
            "unsupported": [
                {"file": file, "rule": title, "reason": reason} for file, title, reason in self.unsupported
            ],
            "problems": self.problems,
            "feeds": self.feeds,
            "unfed": self.unfed,
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One test case and how it went; `said` is empty when it held."""

    file: Path
    name: str
    said: str = ""


@dataclass(slots=True)
class Tested:
    """All cases of some folders, and rule files that have no test beside them."""

    cases: list[Case] = field(default_factory=list)
    untested: list[Path] = field(default_factory=list)

    @property
    def failed(self) -> list[Case]:
        """Cases that did not hold."""
        return [case for case in self.cases if case.said]


def check(paths: Sequence[Path], cache: Path | None = None) -> Report:
    """Load every rule below the paths and say what can run, what cannot, and why."""
    rules = engine.load(paths, cache=cache)
    correlator = Correlator.of(rules, FixedClock(START))
    feeds = Counter(dataset for rule in rules.rules for dataset in rule.feeds)
    return Report(
        loaded=len(rules.rules) - len(rules.unsupported),
        correlations=len(correlator.rules),
        baselines=len(correlator.baselines),
        unsupported=[
            (str(rule.path), rule.title, f"{rule.unsupported.ja} ({rule.unsupported.en})")
            for rule in rules.unsupported
            if rule.unsupported
        ],
        problems=[*map(str, rules.problems), *map(str, correlator.problems)],
        feeds=dict(sorted(feeds.items())),
        unfed=sum(not rule.feeds for rule in rules.rules),
    )


def test(paths: Sequence[Path], cache: Path | None = None) -> Tested:
    """Run the tests beside the rules through the real engine and correlator, all rules of the paths loaded."""
    rules = engine.load(paths, cache=cache)
    tested = Tested()
    for file in engine.rule_files(paths):
        beside = file.with_name(f"{file.stem}.test.yml")
        if not beside.exists():
            tested.untested.append(file)
            continue
        own = _ids_in(file)
        for name, case in _cases(beside):
            tested.cases.append(Case(beside, name, _run(rules, file, own, case)))
    return tested


test.__test__ = False  # type: ignore[attr-defined]  # the name is the command's; pytest must not collect it


def _ids_in(file: Path) -> set[str]:
    return {str(document.value["id"]) for document in yamlfile.read_all(file) if document.value}


def _cases(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    document = yamlfile.read(file)
    for index, case in enumerate(document.value or []):
        if not isinstance(case, dict) or not {"name", "match", "events"} <= case.keys():
            raise ContentError(
                "name、match、events が必要です。",
                "name, match and events are required",
                where=document.places.where(str(index)),
            )
        yield str(case["name"]), case


def _run(rules: engine.RuleSet, file: Path, own: set[str], case: Mapping[str, Any]) -> str:
    """What went otherwise than expected, in words; empty when it held."""
    alerts = [
        alert
        for alert in _alerts(rules, file, case)
        if alert.rule_id in own and alert.level != "informational"
    ]
    distinct = {alert.id for alert in alerts}
    if bool(distinct) != bool(case["match"]):
        return "検知しませんでした / did not match" if case["match"] else "検知しました / matched"
    wanted = case.get("alerts")
    if wanted is not None and len(distinct) != wanted:
        return f"警報が {len(distinct)} 件(期待 {wanted}) / {len(distinct)} alerts, expected {wanted}"
    return ""


def _alerts(rules: engine.RuleSet, file: Path, case: Mapping[str, Any]) -> list[Alert]:
    events = sorted(_events(case["events"], file), key=lambda event: event["@timestamp"])
    clock = FixedClock(max((event["@timestamp"] for event in events), default=START))
    correlator = Correlator.of(rules, clock)
    found: list[Alert] = []
    for dataset in _datasets(rules, file, case):
        rows = [{**event, "event.id": digest(str(file), dataset, str(i))} for i, event in enumerate(events)]
        batch = Batch.of(dataset, _frame(rows), ingested=clock.now())
        found += correlator.feed(rules.signals(batch, rules.match(batch)))
    return found


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    times = pl.Series("@timestamp", [row["@timestamp"] for row in rows], dtype=pl.Datetime("ns", "UTC"))
    rest = frame_of([{k: v for k, v in row.items() if k != "@timestamp"} for row in rows])
    return rest.with_columns(times)


def _datasets(rules: engine.RuleSet, file: Path, case: Mapping[str, Any]) -> list[str]:
    """Where the case's events are: as it says, else what feeds the file's rules, else those that they refer to."""
    if case.get("dataset"):
        return [str(case["dataset"])]
    own = [rule for rule in rules.rules if rule.path == file]
    if not own:
        referred = {name for document in yamlfile.read_all(file) for name in _references(document.value)}
        own = _reached(rules, referred)
    feeds = list(dict.fromkeys(dataset for rule in own for dataset in rule.feeds if dataset != "*"))
    return feeds[:1]


def _reached(rules: engine.RuleSet, names: set[str]) -> list[engine.Rule]:
    """Detection rules behind these names, through correlations of correlations."""
    for correlation in rules.correlations:
        if correlation.document.get("name") in names:
            names = names | set(_references(correlation.document))
    return [rule for rule in rules.rules if rule.name in names]


def _references(document: Any) -> list[str]:
    body = document.get("correlation") or document.get("baseline") or {} if isinstance(document, dict) else {}
    return [str(name) for name in body.get("rules", [])]


def _events(written: Sequence[Mapping[str, Any]], file: Path) -> Iterator[dict[str, Any]]:
    for event in written:
        at = _time(str(event.get("at", "0s")), file)
        every = _offset(str(event.get("every", "1s")), file)
        for i in range(int(event.get("repeat", 1))):
            fields = {k: _numbered(v, i) for k, v in event.items() if k not in {"at", "repeat", "every"}}
            yield {**fields, "@timestamp": at + every * i}


def _numbered(value: Any, i: int) -> Any:
    if isinstance(value, str):
        return value.replace("{i}", str(i + 1))
    return [_numbered(item, i) for item in value] if isinstance(value, list) else value


def _time(text: str, file: Path) -> datetime:
    if _OFFSET.fullmatch(text):
        return START + _offset(text, file)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise ContentError(
            f"「{text}」は時刻ではありません。", f'"{text}" is not a time', where=Where(file)
        ) from None


def _offset(text: str, file: Path) -> timedelta:
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ContentError(
            f"「{text}」は 5m のような長さではありません。",
            f'"{text}" is not a length such as 5m',
            where=Where(file),
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
