"""Rules in other products' languages, by the real sigma-cli with our field names."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import ContentError, InputError
from ops.folders import packs_folder
from rules import converting
from rules.in_force import InForce
from rules.picked import Picked, pick
from tests.rules.engine import rulebook

TELEWORK = packs_folder() / "telework"
PROCESS: dict[str, Any] = {
    "title": "Shell",
    "id": "51111111-2222-4333-8444-555555555555",
    "logsource": {"product": "windows", "category": "process_creation"},
    "detection": {"sel": {"Image|endswith": r"\cmd.exe", "IntegrityLevel": "High"}, "condition": "sel"},
    "level": "high",
}


def picked(folder: Path, *documents: dict[str, Any]) -> Picked:
    """These rules, picked by their folder."""
    rulebook.rules(folder, *documents)
    return pick(InForce([]), [str(folder)])


def test_each_route_is_a_query_of_its_own(tmp_path: Path) -> None:
    """Sysmon and Security 4688 have other names, rows and values for the same; the queries say so."""
    sysmon, security = converting.convert(picked(tmp_path, PROCESS), "lucene")
    assert sysmon.datasets == security.datasets == ("windows.eventlog",)
    assert r"winlog.event_data.Image:*\\cmd.exe" in sysmon.query
    assert "winlog.event_data.IntegrityLevel:High" in sysmon.query
    assert "winlog.event_id:1" in sysmon.query.replace('"', "")
    assert r"winlog.event_data.NewProcessName:*\\cmd.exe" in security.query
    assert "S-1-16-12288" in security.query.replace("\\", "")
    assert "winlog.channel:Security" in security.query
    assert converting.convert(picked(tmp_path, PROCESS), "lucene", ours=False)[0].query.startswith("Image:")


def test_sqlite_query_finds_the_rows(tmp_path: Path) -> None:
    """A converted query run by SQLite over two events finds the one that matches."""
    rule = rulebook.rule(
        {"sel": {"event.action": "login", "user.name|startswith": "adm."}, "condition": "sel"}
    )
    [one] = converting.convert(picked(tmp_path, rule), "sqlite")
    base = sqlite3.connect(":memory:")
    base.execute('create table logs ("event.dataset" text, "event.action" text, "user.name" text)')
    rows = [(rulebook.DATASET, "login", "adm.ito"), (rulebook.DATASET, "login", "t.yamada")]
    base.executemany("insert into logs values (?, ?, ?)", rows)
    query = one.query.replace("<TABLE_NAME>", "logs").replace("event.dataset", '"event.dataset"')
    for name in ("event.action", "user.name"):
        query = query.replace(name, f'"{name}"')
    query = query.replace('""', '"').replace("``", "")
    assert base.execute(query.replace('`"', '"').replace('"`', '"')).fetchall() == [rows[0]]


def test_a_correlation_takes_its_bases_along() -> None:
    """By name out of the packs: ES|QL with the base rule's rows, over our index, and nothing of its neighbours."""
    chosen = pick(InForce([TELEWORK]), ["vpn_spray"])
    one, *others = converting.convert(chosen, "esql")
    assert not [
        other for other in others if "fortinet" in other.query
    ]  # one for each product people come in by
    assert "logs-fortinet.fortigate-*" in one.query
    assert 'event.action=="ssl-login-fail"' in one.query
    assert "count_distinct(user.name)" in one.query


def test_what_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    """A target that is not installed, a language without correlations, a log source nobody feeds, a baseline."""
    with pytest.raises(InputError, match=r"splunk.*lucene"):
        converting.convert(picked(tmp_path / "a", PROCESS), "splunk")
    with pytest.raises(ContentError, match="sigma-cli"):
        converting.convert(pick(InForce([TELEWORK]), ["vpn_spray"]), "lucene")
    unfed = {**PROCESS, "logsource": {"product": "plan9"}}
    with pytest.raises(ContentError, match="--plain"):
        converting.convert(picked(tmp_path / "b", unfed), "lucene")
    assert "Image" in converting.convert(picked(tmp_path / "b", unfed), "lucene", ours=False)[0].query
