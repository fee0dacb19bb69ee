"""A hunt runs correlations and baselines over what it reads, in the order of event time, whoever read what."""

import io
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from ops.hunt import Hunt, correlating
from rules.in_force import InForce

FAILED = {
    "title": "Failed sign-in",
    "id": "11111111-2222-4333-8444-555555555555",
    "name": "failed",
    "level": "low",
    "logsource": {"product": "linux", "service": "sshd"},
    "detection": {"sel": ["Failed password"], "condition": "sel"},
}
MANY = {
    "title": "Many failed sign-ins",
    "id": "21111111-2222-4333-8444-555555555555",
    "name": "many",
    "level": "high",
    "correlation": {
        "type": "event_count",
        "rules": ["failed"],
        "group-by": ["source.ip"],
        "timespan": "10m",
        "condition": {"gte": 5},
    },
}
NEW = {
    "title": "New host",
    "id": "31111111-2222-4333-8444-555555555555",
    "level": "medium",
    "baseline": {
        "type": "first_seen",
        "rules": ["failed"],
        "entity": "user.name",
        "field": "host.name",
        "warm_up_days": 1,
    },
}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Six failures of one address, every second one in another file; and one on a new host days later."""
    folder = tmp_path / "logs"
    folder.mkdir()
    said = "sshd[123]: Failed password for root from 203.0.113.9 port 4022 ssh2"
    for file in range(2):
        lines = [f"Nov 20 09:0{minute}:{10 + file} web1 {said}" for minute in range(3)]
        later = [f"Nov 25 09:00:00 web2 {said}"] if file == 0 else []
        (folder / f"auth{file}.log").write_text("\n".join([*lines, *later, ""]), encoding="utf-8")
    return folder


def hunt(logs: Path, *rules: Any, workers: int = 1) -> tuple[Hunt, list[dict[str, Any]]]:
    """A hunt that is over, and its lines."""
    folder, out = logs.parent / "rules", io.BytesIO()
    folder.mkdir(exist_ok=True)
    (folder / "own.yml").write_text(yaml.safe_dump_all(rules), encoding="utf-8")
    made = Hunt([logs], InForce([folder]), logs.parent / "cache", workers=workers, zone="Asia/Tokyo")
    made.write_jsonl(out)
    return made, [orjson.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_correlations_and_baselines_are_found(logs: Path, workers: int) -> None:
    """The same with any number of processes; what is only counted is no finding."""
    done, lines = hunt(logs, FAILED, MANY, NEW, workers=workers)
    many, new = lines
    assert (many["rule"]["id"], many["rule"]["name"]) == (MANY["id"], MANY["title"])
    assert many["log"]["file"]["path"] == str(logs / "auth1.log")
    assert many["hinomi"]["alert"]["event_count"] == len(many["hinomi"]["alert"]["event_ids"]) == 6
    assert (many["event"]["start"], many["event"]["end"]) == (
        many["event"]["start"][:11] + "00:00:10+00:00",
        many["event"]["start"][:11] + "00:02:11+00:00",
    )
    assert (new["rule"]["id"], new["log"]["file"]["path"]) == (NEW["id"], str(logs / "auth0.log"))
    assert (done.tally.signals, done.tally.counted, done.complete) == (2, 7, True)


def test_a_rule_that_speaks_is_found_beside_what_counts_it(logs: Path) -> None:
    """`generate: true`: the signals come first, then the correlation."""
    speaking = {**MANY, "correlation": {**MANY["correlation"], "generate": True}}
    done, lines = hunt(logs, FAILED, speaking)
    assert [one["rule"]["name"] for one in lines] == [FAILED["title"]] * 7 + [MANY["title"]]
    assert done.tally.counted == 0


def test_what_cannot_run_and_what_is_too_much_is_said(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A correlation of no rule is a problem as any other; signals that are not kept are counted."""
    lost = {**MANY, "correlation": {**MANY["correlation"], "rules": ["gone"]}}
    done, lines = hunt(logs, FAILED, lost)
    assert len(lines) == 7 and not done.complete
    assert '"gone"' in capsys.readouterr().err
    monkeypatch.setattr(correlating, "MOST", 3)
    done, lines = hunt(logs, FAILED, MANY)
    assert lines == [] and done.tally.not_correlated == 7
    assert "did not look at 7 signals" in capsys.readouterr().err


def test_without_a_time_nothing_is_correlated(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten failures of no day had been ten at the moment of the hunt, and an alert; they are found, counted and told."""
    for file in logs.iterdir():
        file.unlink()
    said = "web1 sshd[123]: Failed password for root from 203.0.113.9 port 4022 ssh2\n"
    (logs / "cut.log").write_text(f"Nov 41 09:00:00 {said}" * 10, encoding="utf-8")
    done, lines = hunt(logs, FAILED, MANY, NEW)
    assert (lines, done.tally.counted) == ([], 10)
    assert "10 signals without a legible time" in capsys.readouterr().err
    done.show_stats()
    assert "dropped 10   not_correlated:no_time" in capsys.readouterr().err
    (logs / "whole.log").write_text(f"Nov 20 09:00:00 {said}" * 5, encoding="utf-8")
    assert [one["hinomi"]["alert"]["event_count"] for one in hunt(logs, FAILED, MANY)[1]] == [5]
