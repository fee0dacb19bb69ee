"""Alerts and incidents that the real engine makes of the events beside our rules: parsed, matched, correlated, taken in."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hinomi.alert import Alert
from hinomi.incident import Incident
from ops.elastic import cluster
from ops.folders import packs_folder
from rules import cases, content, engine
from rules.case import Written
from rules.case_lines import Lines
from rules.cases import START
from rules.correlation import ruling
from tests.responders.city import responder

PACKS = packs_folder()


def names() -> list[str]:
    """`lan/dcsync` and so on: every rule file."""
    return [str(file.relative_to(PACKS).with_suffix("")) for file in engine.rule_files([PACKS])]


@cache
def _loaded() -> tuple[engine.RuleSet, ruling.Ruling]:
    rules = engine.load([PACKS])
    return rules, ruling.of(rules)


@cache
def _trial(name: str) -> tuple[content._Trial, list[Written]]:
    """What tries a rule file, and its cases that must match."""
    rules, made = _loaded()
    file = PACKS / f"{name}.yml"
    trial = content._Trial(rules, made, content._ids_in(file), content._dataset(rules, file), Lines(START))
    written = [case for _, case in cases.read(PACKS / f"{name}.test.yml") if case.body["match"]]
    trial.lines.read(pair for case in written for pair in cases.raw_lines(case, trial.home(case)))
    return trial, written


def alerts(name: str, case: int) -> list[Alert]:
    """What the file's own rules say about its case of that number, of those that must match, for people."""
    trial, written = _trial(name)
    return [
        one
        for one in trial._alerts(written[case])
        if one.rule_id in trial.own.values() and one.level != "informational"
    ]


@cache
def every_alert(name: str) -> tuple[Alert, ...]:
    """Of all of its cases."""
    return tuple(one for case in range(len(_trial(name)[1])) for one in alerts(name, case))


@cache
def incident(name: str, case: int = 0) -> tuple[Incident, list[Alert]]:
    """The incident that the alerts of one case open, and these. One that opens none by its level is opened by hand."""
    with TemporaryDirectory(dir=cluster.roomy()) as folder:
        tower, _ = responder(Path(folder), incidents={"opens_at": "low"})
        found = alerts(name, case)
        opened = tower.receive(found)[-1]
        held = tower.records.get("incident", opened.id)
        assert held is not None
        tower.records.close()
        return held.read_as(Incident), found
