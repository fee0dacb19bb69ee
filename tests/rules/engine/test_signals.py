"""Signals: identity, role, and the fields that correlations need."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from hinomi import signal
from hinomi.identity import digest
from rules.engine import RuleSet
from tests.rules.engine import rulebook

FAILED = {"sel": {"event.outcome": "failure"}, "condition": "sel"}


def _correlation(*, generate: bool, identity: str = "a") -> dict[str, Any]:
    return {
        "title": "many failures",
        "id": f"{identity * 8}-2222-4333-8444-555555555555",
        "correlation": {
            "type": "value_count",
            "rules": ["failed"],
            "group-by": ["who", "source.ip"],
            "timespan": "10m",
            "aliases": {"who": {"failed": "city.test.account"}},
            "condition": {"gte": 8, "field": "city.test.terminal"},
            "generate": generate,
        },
    }


def _signals(loaded: RuleSet, events: list[dict[str, Any]]) -> pl.DataFrame:
    batch = rulebook.batch(events)
    return loaded.signals(batch, loaded.match(batch))


EVENT = {
    "event.outcome": "failure",
    "source.ip": "192.0.2.7",
    "user.name": "山田",
    "city.test.account": "A-1",
    "city.test.terminal": "T9",
    "related.user": ["山田", "yamada"],
}


def test_a_signal(tmp_path: Path) -> None:
    """Schema, ids that a replay makes again, entity fields as JSON."""
    rule = rulebook.rule(FAILED, name="failed")
    loaded = rulebook.rules(tmp_path, rule)
    found = _signals(loaded, [{"event.outcome": "success"}, EVENT])
    assert dict(found.schema) == signal.SCHEMA
    row = found.row(0, named=True)
    assert found.height == 1
    assert row["event.id"] == digest(rule["id"], "e1")
    assert row["hinomi.signal.event_id"] == "e1"
    assert row["hinomi.signal.role"] == "detection"
    assert row["hinomi.signal.level"] == "high"
    assert row["@timestamp"] == rulebook.NOW
    fields = json.loads(row["hinomi.signal.fields"])
    assert fields == {
        "user.name": "山田",
        "source.ip": "192.0.2.7",
        "related.user": ["山田", "yamada"],
        "event.outcome": "failure",
    }


def test_no_match_is_an_empty_frame(tmp_path: Path) -> None:
    """Nothing found keeps the schema."""
    found = _signals(rulebook.rules(tmp_path, rulebook.rule(FAILED)), [{"event.outcome": "success"}])
    assert found.height == 0
    assert dict(found.schema) == signal.SCHEMA


def test_base_rules_and_correlation_fields(tmp_path: Path) -> None:
    """A rule that only counts is `base` and carries what is grouped, aliased and counted."""
    loaded = rulebook.rules(tmp_path, rulebook.rule(FAILED, name="failed"), _correlation(generate=False))
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    assert loaded.correlations[0].rule.timespan.seconds == 600
    row = _signals(loaded, [EVENT]).row(0, named=True)
    assert row["hinomi.signal.role"] == "base"
    fields = json.loads(row["hinomi.signal.fields"])
    assert fields["city.test.account"] == "A-1"
    assert fields["city.test.terminal"] == "T9"


def test_generating_rules_stay_detections(tmp_path: Path) -> None:
    """One correlation that says `generate: true` suffices."""
    loaded = rulebook.rules(
        tmp_path,
        rulebook.rule(FAILED, name="failed"),
        _correlation(generate=False),
        _correlation(generate=True, identity="b"),
    )
    assert _signals(loaded, [EVENT]).row(0, named=True)["hinomi.signal.role"] == "detection"


def test_other_kinds_are_handed_on(tmp_path: Path) -> None:
    """A `baseline` document is no problem: who reads such finds it, with the rules that it does not name as none."""
    loaded = rulebook.rules(tmp_path, {"title": "first seen", "baseline": {"type": "first_seen"}})
    assert loaded.problems == []
    assert loaded.others[0].document["baseline"] == {"type": "first_seen", "rules": []}


def test_windows_names_in_correlations(tmp_path: Path) -> None:
    """A correlation's Sigma names are carried under those names, from the column that each route means."""
    rule = rulebook.rule(
        {"sel": {"CommandLine|contains": "whoami"}, "condition": "sel"},
        name="whoami",
        logsource={"product": "windows", "category": "process_creation"},
    )
    correlation = {
        "title": "often",
        "id": "cccccccc-2222-4333-8444-555555555555",
        "correlation": {
            "type": "event_count",
            "rules": ["whoami"],
            "group-by": ["Image", "Computer"],
            "timespan": "5m",
            "condition": {"gte": 3},
        },
    }
    loaded = rulebook.rules(tmp_path, rule, correlation)
    sysmon = {
        "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
        "winlog.event_id": "1",
        "winlog.event_data.Image": "a.exe",
    }
    security = {
        "winlog.channel": "Security",
        "winlog.event_id": "4688",
        "winlog.event_data.NewProcessName": "b.exe",
    }
    common = {"winlog.event_data.CommandLine": "whoami /all", "winlog.computer_name": "PC1"}
    batch = rulebook.batch([sysmon | common, security | common], "windows.eventlog")
    found = loaded.signals(batch, loaded.match(batch)).get_column("hinomi.signal.fields").to_list()
    assert [json.loads(text) for text in found] == [
        {"Image": "a.exe", "Computer": "PC1"},
        {"Image": "b.exe", "Computer": "PC1"},
    ]


def test_what_response_acts_on_is_carried(tmp_path: Path) -> None:
    """Mail, file, cloud's thing, service and the machine's zone reach the signal; what a cloud calls its things is one field."""
    names = ("service.name", "email.message_id", "file.hash.sha256", "cloud.instance.id", "host.zone")
    events = [
        {name: name.upper() for name in names} | {"azure.activitylogs.resourceId": "/subscriptions/s/x"},
        {"oci.resource_id": "ocid1.instance.x"},
        {"aws.s3access.bucket": "city-juki"},
    ]
    loaded = rulebook.rules(
        tmp_path, rulebook.rule({"sel": {"event.outcome": "failure"}, "condition": "sel"})
    )
    one, two, three = (
        json.loads(text)
        for text in _signals(loaded, [{"event.outcome": "failure", **event} for event in events])[
            "hinomi.signal.fields"
        ]
    )
    assert {name: one[name] for name in names} == {name: name.upper() for name in names}
    assert (one["cloud.resource.id"], two["cloud.resource.id"]) == ("/subscriptions/s/x", "ocid1.instance.x")
    assert three["cloud.resource.id"] == "city-juki"
