"""Rules as content: does everything load, and does each rule do what the cases beside it say (`rules.cases`)?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors import catalogue
from hinomi import yamlfile
from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.errors import ContentError, Where
from rules import cases, engine
from rules.case import Written, wrong
from rules.case_lines import Lines
from rules.cases import START
from rules.correlation import Correlator, ruling
from rules.feeding import Fed, feeding
from rules.in_force import InForce


@dataclass(frozen=True, slots=True)
class Report:
    """What loading showed. feeds: rules that each dataset of ours can feed; problems, unsupported: in words.

    rules: each rule with what feeds it; unfed: how many no source feeds.
    """

    loaded: int
    correlations: int
    baselines: int
    unsupported: list[tuple[str, str, str]]
    problems: list[str]
    feeds: dict[str, int]
    unfed: int
    rules: list[Fed]

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
            "unmapped": sum(bool(fed.unmapped) for fed in self.rules),
            "rules": [fed.as_json() for fed in self.rules],
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


def check(source: InForce | Sequence[Path], cache: Path | None = None, *, each: bool = True) -> Report:
    """Load every rule in force, or below the paths, and say what can run, what cannot, and why. each: also what feeds each rule,
    for which the samples of every source are read."""
    rules = (source if isinstance(source, InForce) else InForce(source)).load(cache)
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
        problems=[*map(str, rules.problems), *map(str, correlator.problems), *_unknown_datasets(rules)],
        feeds=dict(sorted(feeds.items())),
        unfed=sum(not rule.feeds for rule in rules.rules),
        rules=list(feeding(rules)) if each else [],
    )


def _unknown_datasets(rules: engine.RuleSet) -> list[str]:
    """Rules of our own product whose service is no dataset: they load, and nothing would ever feed them."""
    return [
        str(
            ContentError(
                f"「{service}」というデータセットはありません(ルール「{rule.title}」)。",
                f'there is no dataset "{service}" (rule "{rule.title}")',
                where=Where(rule.path, None, "logsource.service"),
            )
        )
        for rule in rules.rules
        if rule.logsource.get("product") == "hinomi"
        and (service := rule.logsource.get("service"))
        and service not in catalogue.sources()
    ]


def test(paths: Sequence[Path], cache: Path | None = None) -> Tested:
    """Run the tests beside the rules through the real engine and correlator, all rules of the paths loaded."""
    rules = engine.load(paths, cache=cache)
    tested, made = Tested(), ruling.of(rules)
    for file in engine.rule_files(paths):
        beside = file.with_name(f"{file.stem}.test.yml")
        if not beside.exists():
            tested.untested.append(file)
            continue
        trial = _Trial(rules, made, _ids_in(file), _dataset(rules, file), Lines(START))
        written = list(cases.read(beside))
        trial.lines.read(pair for _, case in written for pair in cases.raw_lines(case, trial.home(case)))
        tested.cases += [Case(beside, name, trial.run(case)) for name, case in written]
    return tested


test.__test__ = False  # type: ignore[attr-defined]  # the name is the command's; pytest must not collect it


def _ids_in(file: Path) -> dict[str, str]:
    """Ids of a file's rules by their names (their ids where they have none)."""
    documents = [document.value for document in yamlfile.read_all(file)]
    return {
        str(value.get("name") or value["id"]): str(value["id"])
        for value in documents
        if isinstance(value, dict) and "id" in value
    }


@dataclass(frozen=True, slots=True)
class _Trial:
    """A rule file on trial. own: ids of its rules by name; dataset: where its cases' events are unless they say; lines: the
    raw lines of all its cases."""

    rules: engine.RuleSet
    made: ruling.Ruling
    own: dict[str, str]
    dataset: str
    lines: Lines

    def home(self, case: Written) -> str:
        """Where a case's events are unless they say."""
        return str(case.body.get("dataset") or self.dataset)

    def run(self, case: Written) -> str:
        """What went otherwise than expected, in words; empty when it held."""
        meant = self._meant(case)
        found = [
            alert for alert in self._alerts(case) if alert.rule_id in meant and alert.level != "informational"
        ]
        distinct = {alert.id for alert in found}
        if bool(distinct) != case.body["match"]:
            return "検知しませんでした / did not match" if case.body["match"] else "検知しました / matched"
        wanted = case.body.get("alerts")
        if wanted is not None and len(distinct) != wanted:
            return f"警報が {len(distinct)} 件(期待 {wanted}) / {len(distinct)} alerts, expected {wanted}"
        return ""

    def _meant(self, case: Written) -> set[str]:
        """Ids of the rules that a case is about: the one that it names, else all of the file. Raises ContentError."""
        name = case.body.get("rule")
        if name is None:
            return set(self.own.values())
        if name not in self.own:
            known = ", ".join(sorted(self.own))
            raise wrong(
                case.where("rule"),
                f"このファイルに「{name}」というルールはありません。あるのは {known} です。",
                f'no rule of the file is named "{name}"; there are {known}',
            )
        return {self.own[name]}

    def _alerts(self, case: Written) -> list[Alert]:
        clock = FixedClock(START)
        correlator = Correlator.ready(self.made.afresh(self.rules), clock)
        found: list[Alert] = []
        for arrived, batch in cases.batches(case, self.home(case), self.lines):
            clock.time = arrived
            found += correlator.feed(self.rules.signals(batch, self.rules.match(batch)))
        return found


def _dataset(rules: engine.RuleSet, file: Path) -> str:
    """Where a case's events are unless it says: what feeds the file's rules, or those that they refer to."""
    own = [rule for rule in rules.rules if rule.path == file]
    if not own:
        referred = {name for document in yamlfile.read_all(file) for name in _references(document.value)}
        own = _reached(rules, referred)
    return next((dataset for rule in own for dataset in rule.feeds if dataset != "*"), "")


def _reached(rules: engine.RuleSet, names: set[str]) -> list[engine.Rule]:
    """Detection rules behind these names, through correlations of correlations."""
    for correlation in rules.correlations:
        if correlation.document.get("name") in names:
            names = names | set(_references(correlation.document))
    return [rule for rule in rules.rules if rule.name in names]


def _references(document: Any) -> list[str]:
    body = document.get("correlation") or document.get("baseline") or {} if isinstance(document, dict) else {}
    return [str(name) for name in body.get("rules", [])]
