"""A rule that floods is set aside by the tower itself: stored, audited, told, shown by the doctor, released by a person."""

import json
from pathlib import Path

import pytest
import yaml

from hinomi.alert import Alert
from ops import rule_watch, schedule
from ops.doctor.content import set_aside
from ops.doctor.finding import Patient
from ops.opened import opened, remember
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings
from rules import quarantine, stats
from rules.settings import RulesSettings
from tests.ops.test_rule_commands import rule, run
from tests.rules.engine import rulebook

LOUD = rule(1)


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Role:
    """A respond process with one rule in force, whose worker counted 70 signals in this hour."""
    monkeypatch.setenv("HINOMI_CACHE", str(tmp_path / "cache"))
    folder, data = tmp_path / "rules", tmp_path / "data"
    loaded = rulebook.rules(folder, LOUD)
    batch = rulebook.batch([{"f": "x"}] * 70)
    with opened(data, make=True) as place:
        tally = stats.Tally(place.records, "worker-0", place.clock)
        tally.saw(loaded, batch, loaded.match(batch))
        tally.save(at_once=True)
    config = tmp_path / "hinomi.yaml"
    config.write_text(f"rules: {{packs: false, folders: [{folder}]}}\n", encoding="utf-8")
    remember(data, config)
    settings = Settings(rules=RulesSettings(packs=False, folders=[folder], flood_per_hour=50))
    return Role("respond", data, settings, RunDir.of(data))


def test_from_flood_to_release(process: Role) -> None:
    """One alert and one audit entry, not again a minute later; the doctor names the remedy; a person releases it."""
    told: list[Alert] = []
    records = process.records()
    for expected in (1, 0):
        assert rule_watch.watch(process, records, told.append) == expected
    assert [one.rule_name for one in told] == ["rule_quarantined"]
    entry = records.last("audit")
    assert entry is not None and (entry.body["action"], entry.body["target"]) == (
        "rules.quarantine",
        LOUD["id"],
    )
    assert process.settings.rules_in_force(process.data).load().rules == []
    patient = Patient(process.data, process.settings, process.events(), records, RunDir.of(process.data))
    assert [one.remedy.en for one in set_aside(patient)] == [f"hinomi rules release {LOUD['id']}"]
    where = ("--data", str(process.data))
    assert "70" in run("release", *where)[1]
    assert run("release", LOUD["id"], *where)[0] == 1  # nobody says why
    why = ("--owner", "h.sato", "--reason", "例外を足した")
    assert run("release", LOUD["id"], *where, *why)[0] == 0
    assert quarantine.held(records) == []
    assert run("release", LOUD["id"], *where, *why)[0] == 1
    assert rule_watch.watch(process, records, told.append) == 0
    assert len(process.settings.rules_in_force(process.data).load().rules) == 1


@pytest.mark.parametrize("kind", ["correlation", "baseline"])
def test_what_others_count_is_never_set_aside_for_its_number(process: Role, kind: str) -> None:
    """Whoever sends enough of it would switch off what counts it: the rule runs on, and people are told, once a day."""
    body = {
        "correlation": {
            "type": "event_count",
            "rules": [LOUD["id"]],
            "group-by": ["user.name"],
            "timespan": "10m",
            "condition": {"gte": 50},
        },
        "baseline": {"type": "rate_spike", "rules": [LOUD["id"]]},
    }[kind]
    watcher = {"title": "Watcher", "id": rule(8)["id"], "level": "high", kind: body}
    (process.settings.rules.folders[0] / "watcher.yml").write_text(yaml.safe_dump(watcher), encoding="utf-8")
    told: list[Alert] = []
    for _ in range(2):
        assert rule_watch.watch(process, process.records(), told.append) == 0
    assert [one.rule_name for one in told] == ["rule_loud"] and "70" in told[0].reason_ja
    assert [one.id for one in process.settings.rules_in_force(process.data).load().rules] == [LOUD["id"]]


def test_stats_and_hygiene_read_what_was_counted(process: Role) -> None:
    """The command tells signals and cost; hygiene counts them though no signal is stored."""
    code, said = run("stats", "--data", str(process.data))
    assert code == 0 and "70" in said and LOUD["id"] in said
    assert json.loads(run("stats", "--data", str(process.data), "--json")[1])[LOUD["id"]]["signals"] == 70
    hygiene = json.loads(run("hygiene", "--data", str(process.data), "--json")[1])
    assert hygiene["hits"] == {LOUD["id"]: 70}


def test_what_is_not_approved_is_told_once_a_day(process: Role) -> None:
    """The timed check tells people: the same difference is the same alert, another is another."""
    told: list[Alert] = []
    assert run("lock", "--data", str(process.data))[0] == 0
    extra = process.settings.rules.folders[0] / "extra.yml"
    for number in (2, 2, 3):
        extra.write_text(yaml.safe_dump(rule(number)), encoding="utf-8")
        assert schedule.verify_rules(process, process.records(), told.append) > 0
    assert len({one.id for one in told}) == 2 and {one.level for one in told} == {"high"}
    assert "Rule 3" in told[-1].reason_ja
