"""`hinomi audit verify` as a person types it, on both stores: whatever was done to the log is named, with an exit code."""

import hashlib
import sqlite3
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from hinomi.clock import FixedClock
from hinomi.store import Records
from hinomi.store.embedded import SqliteRecords
from ops import cli
from ops.opened import remember
from responders.audit import Audit
from tests import elastic
from tests.contract import stores
from tests.responders.city import NIGHT


@dataclass(frozen=True)
class Place:
    """A data folder with a log of nine entries in one of the stores."""

    data: Path
    records: Records

    def entry(self, number: int) -> dict[str, Any]:
        held = self.records.get("audit", f"{number:012d}")
        assert held is not None
        return dict(held.body)

    def put(self, number: int, body: Mapping[str, Any]) -> None:
        self.records.put("audit", f"{number:012d}", body)

    def drop(self, number: int) -> None:
        self.records.delete("audit", f"{number:012d}")


@pytest.fixture(params=stores.each())
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    records = stores.RECORDS[request.param](tmp_path / "data")
    if request.param == "elastic":
        remember(tmp_path / "data", _configured(tmp_path))
    log = Audit(records, FixedClock(NIGHT))
    for n in range(9):
        log.append(actor="sato", action="playbook.approved", target=f"run-{n}", details={"n": n})
    return Place(tmp_path / "data", records)


def _configured(folder: Path) -> Path:
    config = folder / "hinomi.yaml"
    reached = {**elastic.running().reached(folder), "namespace": elastic.namespace(folder / "data")}
    config.write_text(yaml.safe_dump({"store": {"kind": "elasticsearch", "elasticsearch": reached}}))
    return config


def sealed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with a hash that fits it, as whoever knows how it is made would forge it."""
    bare = {name: value for name, value in body.items() if name != "hash"}
    digest = hashlib.sha256(orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return {**bare, "hash": digest}


def edited(on: Place) -> None:
    on.put(4, {**on.entry(4), "actor": "ito"})


def edited_and_sealed(on: Place) -> None:
    on.put(4, sealed({**on.entry(4), "actor": "ito"}))


def reordered(on: Place) -> None:
    four, five = on.entry(4), on.entry(5)
    on.put(4, five)
    on.put(5, four)


def reordered_and_sealed(on: Place) -> None:
    four, five = on.entry(4), on.entry(5)
    on.put(4, sealed({**five, "number": 4, "previous": four["previous"]}))
    on.put(5, sealed({**four, "number": 5, "previous": on.entry(4)["hash"]}))


def inserted(on: Place) -> None:
    on.records.put("audit", "000000000004x", on.entry(4))


def inserted_at_the_end(on: Place) -> None:
    last = on.entry(9)
    on.put(10, sealed({**last, "number": 10, "previous": "0" * 64}))


def truncated(on: Place) -> None:
    on.drop(8)
    on.drop(9)


def truncated_and_grown(on: Place) -> None:
    """The tail is gone and the tower went on writing: the numbers are whole again, the head is not."""
    on.drop(9)
    on.put(9, sealed({**on.entry(8), "number": 9, "previous": on.entry(8)["hash"], "actor": "ito"}))


def head_damaged(on: Place) -> None:
    on.records.put("audit_head", "head", {"number": "nine"})


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (edited, ["000000000004"]),
        (edited_and_sealed, ["000000000005"]),
        (lambda on: on.put(4, {"actor": 3}), ["000000000004"]),
        (lambda on: on.drop(4), ["000000000004"]),
        (reordered, ["000000000004", "000000000005"]),
        (reordered_and_sealed, ["000000000006"]),
        (inserted, ["000000000004x"]),
        (inserted_at_the_end, ["000000000010"]),
        (truncated, ["000000000008"]),
        (truncated_and_grown, ["000000000009"]),
        (head_damaged, ["head"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_harm_is_named(
    place: Place,
    harm: Callable[[Place], None],
    named: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, the entry by its number in both languages, no trace; before that the same log was whole."""
    assert _typed(place, monkeypatch) == 0 and "9 entries, all whole" in capsys.readouterr().out
    harm(place)
    code, said = _typed(place, monkeypatch), capsys.readouterr()
    assert code == 1 and "Traceback" not in said.out + said.err and said.err == ""
    lines = said.out.splitlines()
    assert len(lines) % 2 == 0 and all(line.startswith("(") for line in lines[1::2])
    for entry in named:
        assert any(entry in line for line in lines), lines


def _typed(place: Place, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hinomi", "audit", "verify", "--data", str(place.data), *more])
    monkeypatch.setattr(cli, "_journal", lambda: None)  # it is the process's for good, and this is the tests'
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_head_kept_elsewhere_finds_what_the_store_cannot(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever rewrites the tail and the head beside it fools the store alone, not the head that was printed before."""
    assert _typed(place, monkeypatch) == 0
    kept = capsys.readouterr().out.split("elsewhere: ")[1].strip()
    assert kept == f"9:{place.entry(9)['hash']}"
    forged = sealed({**place.entry(9), "actor": "ito"})
    place.put(9, forged)
    place.records.put("audit_head", "head", {"number": 9, "hash": forged["hash"]})
    assert _typed(place, monkeypatch) == 0
    assert _typed(place, monkeypatch, "--head", kept) == 1
    assert "000000000009" in capsys.readouterr().out
    assert _typed(place, monkeypatch, "--head", "9:x") == 2
    assert "--head" in capsys.readouterr().err


@pytest.mark.parametrize("body", ["{", "[]", "", "null"])
def test_an_entry_that_cannot_be_read(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody with a hand in the file left no JSON: the sentence names the record, and there is no trace."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    log = Audit(records, FixedClock(NIGHT))
    for n in range(3):
        log.append(actor="sato", action="look", target=str(n))
    records.close()
    with sqlite3.connect(tmp_path / "records.sqlite") as db:
        for (index,) in db.execute(
            "select name from sqlite_master where sql like '%json_extract%'"
        ).fetchall():
            db.execute(f"drop index {index}")
        db.execute("update record set body=? where kind='audit' and id='000000000002'", (body,))
    db.close()
    code = _typed(Place(tmp_path, records), monkeypatch)
    said = capsys.readouterr()
    assert code == 1 and "000000000002" in said.err and "Traceback" not in said.err


def test_nothing_is_written_behind_a_stranger_s_entry(tmp_path: Path) -> None:
    """An entry put at the end that is not ours stops the log with a sentence: nothing is chained to it unseen."""
    from hinomi.errors import AuditBroken

    records = SqliteRecords(tmp_path / "records.sqlite")
    log = Audit(records, FixedClock(NIGHT))
    log.append(actor="sato", action="look", target="a")
    records.put("audit", "zzz", {"actor": "ito"})
    with pytest.raises(AuditBroken, match="hinomi audit verify"):
        log.append(actor="sato", action="look", target="b")
    assert [problem.entry for problem in log.verify()] == ["zzz"]
