"""What runs: switched off and on, excepted until a day, read through pipelines and with placeholders."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from hinomi.errors import ConfigError, ContentError
from rules import decided
from rules.in_force import InForce
from rules.selector import Selector
from rules.settings import RulesSettings
from tests.rules.engine import rulebook

TODAY = date(2026, 11, 28)


def _rules(folder: Path, **more: dict[str, Any]) -> Path:
    """Rules of these names over the field f, each with keys of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, keys) in enumerate(more.items()):
        detection = {"sel": {"f|contains": "x"}, "condition": "sel"}
        identity = f"{number}1111111-2222-4333-8444-555555555555"
        written = {**rulebook.rule(detection), "id": identity, "name": name, **keys}
        (folder / f"{name}.yml").write_text(yaml.safe_dump(written), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("disable", "enable", "off"),
    [
        ({"level": "low"}, None, ["b"]),
        ({"level": ["low", "high"]}, None, ["a", "b"]),
        ({"tag": "attack.t1110*"}, None, ["a"]),
        ({"level": "high", "tag": "attack.t1*"}, None, ["a"]),
        ({"product": "hinomi", "service": "city.*"}, None, ["a", "b"]),
        ({"id": "B"}, None, ["b"]),
        ({"id": "01111111-*"}, None, ["a"]),
        ({"path": "*/b.yml"}, None, ["b"]),
        ({"level": "*"}, {"id": "a"}, ["b"]),
        ({"level": "*", "until": "2026-11-27"}, None, []),
        ({"level": "*"}, {"id": "a", "until": "2026-11-27"}, ["a", "b"]),
        ({}, None, []),
    ],
)
def test_switched_off(
    tmp_path: Path, disable: dict[str, Any], enable: dict[str, Any] | None, off: list[str]
) -> None:
    """By every key, by several at once, with wildcards, on all the same, and until its last day."""
    folder = _rules(
        tmp_path, a={"level": "high", "tags": ["attack.t1110.003"]}, b={"level": "low", "tags": []}
    )
    source = InForce(
        [folder],
        disable=[Selector.model_validate(disable)],
        enable=[Selector.model_validate(enable)] if enable else [],
    )
    loaded = source.load(today=TODAY)
    assert sorted(one.path.stem for one in loaded.off) == off
    assert {rule.name for rule in loaded.rules} == {"a", "b"} - set(off)
    hits = loaded.match(rulebook.batch([{"f": "x"}])).hits
    assert {rule.name for rule, _ in hits} == {"a", "b"} - set(off)


def test_a_correlation_can_be_switched_off(tmp_path: Path) -> None:
    """Rules of every kind are meant, not only those over single events."""
    _rules(tmp_path, a={})
    correlation = {
        "title": "Many",
        "id": "91111111-2222-4333-8444-555555555555",
        "level": "low",
        "correlation": {"type": "event_count", "rules": ["a"], "timespan": "5m", "condition": {"gte": 3}},
    }
    (tmp_path / "many.yml").write_text(yaml.safe_dump(correlation), encoding="utf-8")
    assert len(InForce([tmp_path]).load().correlations) == 1
    loaded = InForce([tmp_path], disable=[Selector(level=["low"], owner="a", reason="b")]).load()
    assert loaded.correlations == []
    assert loaded.off[0].by == "level=low (a, b)"


def test_the_cache_knows_the_choice(tmp_path: Path) -> None:
    """A rule switched off at a warm start is off, and on again it is on."""
    folder, cache = _rules(tmp_path / "rules", a={}), tmp_path / "cache"
    off = [Selector(id=["a"], until=TODAY)]
    for disable, day, expected in [((), 28, 1), (off, 28, 0), (off, 29, 1), ((), 28, 1)]:
        source = InForce([folder], disable=disable)
        assert len(source.load(cache, date(2026, 11, day)).rules) == expected


def _filter(**more: Any) -> dict[str, Any]:
    return {
        "title": "The backup server is meant to",
        "id": "81111111-2222-4333-8444-555555555555",
        "logsource": {"product": "any"},
        "filter": {"rules": ["a"], "sel": {"user.name": "backup"}, "condition": "not sel"},
        **more,
    }


@pytest.mark.parametrize(("day", "found"), [(28, [0]), (29, [0, 1])])
def test_an_exception_ends(tmp_path: Path, day: int, found: list[int]) -> None:
    """With owner, reason and last day: it applies through that day, not after, and both are told, warm starts included."""
    folder = _rules(tmp_path / "rules", a={}, b={})
    about = {"owner": "h.sato", "reason": "夜間バックアップ", "expires": "2026-11-28"}
    (folder / "except.yml").write_text(yaml.safe_dump(_filter(hinomi=about)), encoding="utf-8")
    events = rulebook.batch([{"f": "x", "user.name": "w.kato"}, {"f": "x", "user.name": "backup"}])
    for _ in range(2):
        loaded = InForce([folder]).load(tmp_path / "cache", date(2026, 11, day))
        hits = {rule.name: rows.tolist() for rule, rows in loaded.match(events).hits}
        assert hits == {"a": found, "b": [0, 1]}
        [told] = loaded.filters
        assert (told.owner, told.expires, told.ended) == ("h.sato", "2026-11-28", day == 29)
        assert told.applied == (() if day == 29 else ("01111111-2222-4333-8444-555555555555",))


def test_an_exception_with_no_date(tmp_path: Path) -> None:
    """A last day that is none is said with its file, and the exception does not apply."""
    folder = _rules(tmp_path, a={})
    (folder / "except.yml").write_text(yaml.safe_dump(_filter(hinomi={"expires": "soon"})), encoding="utf-8")
    loaded = InForce([folder]).load()
    assert loaded.filters == []
    assert "2026-12-31" in str(loaded.problems[0])
    assert len(loaded.match(rulebook.batch([{"f": "x", "user.name": "backup"}]))) == 1


def test_pipelines_by_file_and_name(tmp_path: Path) -> None:
    """A user's own pySigma pipeline works unchanged; one that is not there is refused with those that are."""
    folder = _rules(tmp_path / "rules", a={})
    pipeline = tmp_path / "own.yml"
    pipeline.write_text(
        "name: own\npriority: 10\nvars: {people: [w.kato]}\ntransformations:\n"
        "  - {id: m, type: field_name_mapping, mapping: {f: g}}\n"
        "  - {id: c, type: add_condition, conditions: {user.name: w.kato}}\n",
        encoding="utf-8",
    )
    events = rulebook.batch([{"f": "x"}, {"g": "x", "user.name": "w.kato"}, {"g": "x"}])
    for _ in range(2):
        loaded = InForce([folder], [str(pipeline)]).load(tmp_path / "cache")
        assert [rows.tolist() for _, rows in loaded.match(events).hits] == [[1]]
    with pytest.raises(ContentError, match="no pipeline"):
        InForce([folder], ["ecs_of_somewhere"]).load()
    pipeline.write_text("transformations: [{type: nothing}]", encoding="utf-8")
    with pytest.raises(ContentError, match=r"own\.yml"):
        InForce([folder], [str(pipeline)]).load()


def test_what_a_pipeline_refuses_is_said(tmp_path: Path) -> None:
    """A pipeline may fail a rule: that rule is a problem with the pipeline's words, the others run."""
    folder = _rules(tmp_path / "rules", a={"level": "low"}, b={"level": "high"})
    pipeline = tmp_path / "own.yml"
    pipeline.write_text(
        "name: own\npriority: 10\ntransformations:\n"
        "  - {id: r, type: rule_failure, message: not here, rule_conditions: [{type: rule_attribute, attribute: level, value: low}]}\n",
        encoding="utf-8",
    )
    loaded = InForce([folder], [str(pipeline)]).load()
    assert [rule.name for rule in loaded.rules] == ["b"]
    assert "not here" in loaded.problems[0].reason.en


def test_placeholders_of_the_configuration(tmp_path: Path) -> None:
    """`|expand` takes its values from `rules.placeholders`."""
    detection = {"sel": {"f|expand": "%people%"}, "condition": "sel"}
    settings = RulesSettings.model_validate(
        {"packs": False, "folders": [tmp_path / "r"], "placeholders": {"people": ["a", "b*"]}}
    )
    rulebook.rules(tmp_path / "r", rulebook.rule(detection))
    loaded = InForce.of(settings, tmp_path).load()
    assert loaded.match(rulebook.batch([{"f": "A"}, {"f": "bob"}, {"f": "c"}])).hits[0][1].tolist() == [0, 1]


def test_decisions_are_kept_and_noticed(tmp_path: Path) -> None:
    """What is written to the data folder is read with the configuration's, and a reload sees that it changed."""
    folder = _rules(tmp_path / "rules", a={}, b={})
    source = InForce.of(RulesSettings(packs=False, folders=[folder]), tmp_path, tmp_path / "data")
    before = source.changed()
    path = tmp_path / "data" / "rules" / "choice.yml"
    decided.keep_choice(path, decided.Kept(disable=[Selector(id=["a"], owner="h.sato", until=TODAY)]))
    assert source.changed() != before
    assert [rule.name for rule in source.load(today=TODAY).rules] == ["b"]
    path.write_text("disable: [{lvl: low}]", encoding="utf-8")
    with pytest.raises(ConfigError, match="lvl"):
        source.load()


@pytest.mark.parametrize(
    ("name", "found"), [("sysmon", [0]), ("windows-audit", [1]), ("windows-logsources", [0, 1])]
)
def test_installed_pipelines_work_unchanged(tmp_path: Path, name: str, found: list[int]) -> None:
    """pySigma's own Windows pipelines mean here what they mean anywhere: Sysmon, Security auditing, channels only."""
    rule = rulebook.rule(
        {"sel": {"Image|endswith": r"\whoami.exe"}, "condition": "sel"},
        logsource={"product": "windows", "category": "process_creation"},
    )
    rulebook.rules(tmp_path / "rules", rule)
    exe = r"C:\Windows\whoami.exe"
    events = [
        {
            "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
            "winlog.event_id": "1",
            "winlog.event_data.Image": exe,
        },
        {"winlog.channel": "Security", "winlog.event_id": "4688", "winlog.event_data.NewProcessName": exe},
    ]
    for _ in range(2):
        loaded = InForce([tmp_path / "rules"], [name]).load(tmp_path / "cache")
        assert not loaded.problems
        hits = loaded.match(rulebook.batch(events, "windows.eventlog")).hits
        assert [rows.tolist() for _, rows in hits] == [found]


def test_a_folder_that_cannot_be_listed_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload goes on watching the files beside one that nobody may look into."""
    folder = _rules(tmp_path, **{f"r{number}": {} for number in range(9)})
    closed, listed = folder / "closed", os.scandir
    closed.mkdir()

    def refusing(place: str) -> object:
        if place == str(closed):
            raise PermissionError(place)
        return listed(place)

    monkeypatch.setattr(os, "scandir", refusing)
    assert {str(path) for path in folder.glob("*.yml")} <= InForce([folder]).changed().keys()
