"""The audit log shows every kind of tampering and names the entry."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from hinomi.clock import FixedClock
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from tests.responders.city import NIGHT


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    log = Audit(SqliteRecords(tmp_path / "r.sqlite"), FixedClock(NIGHT))
    for i in range(6):
        log.append(actor="sato", action="look", target=f"incident-{i}", details={"n": i})
    return log


def test_a_whole_log_is_whole(audit: Audit) -> None:
    """Nothing to report, also for an empty log."""
    assert audit.verify() == []


def test_an_edited_entry_is_named(audit: Audit) -> None:
    """Changing who did it, even with the hash made right again, is seen."""
    record = audit.records.get("audit", "000000000003")
    assert record is not None
    audit.records.put("audit", record.id, {**record.body, "actor": "ito"})
    assert [problem.entry for problem in audit.verify()] == ["000000000003"]
    from responders import audit as module

    forged = {**record.body, "actor": "ito"}
    forged.pop("hash")
    audit.records.put("audit", record.id, {**forged, "hash": module._hash(forged)})
    assert [problem.entry for problem in audit.verify()] == ["000000000004"]


def test_a_dropped_entry_is_named(audit: Audit) -> None:
    """A hole in the middle."""
    audit.records.delete("audit", "000000000002")
    assert audit.verify()[0].entry == "000000000002"


def test_swapped_entries_are_named(audit: Audit) -> None:
    """Two entries in each other's place."""
    two, five = (audit.records.get("audit", f"{n:012d}") for n in (2, 5))
    assert two is not None and five is not None
    audit.records.put("audit", two.id, five.body)
    audit.records.put("audit", five.id, two.body)
    assert {problem.entry for problem in audit.verify()} >= {two.id, five.id}


def test_a_cut_tail_is_named(audit: Audit) -> None:
    """The last entries are gone; the head kept beside the log remembers them."""
    for n in (6, 5):
        audit.records.delete("audit", f"{n:012d}")
    [problem] = audit.verify()
    assert problem.entry == "000000000005" and "2" in problem.en


def test_a_rewritten_tail_differs_from_the_noted_head(audit: Audit) -> None:
    """Whoever rewrites the last entry whole is found by the head beside the log, and with that by one kept elsewhere."""
    noted = audit.head()
    last = audit.records.get("audit", "000000000006")
    assert noted is not None and last is not None
    body = {name: value for name, value in last.body.items() if name != "hash"} | {"actor": "ito"}
    digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    audit.records.put("audit", last.id, {**body, "hash": digest})
    assert [problem.entry for problem in audit.verify()] == [last.id]
    audit.records.put("audit_head", "head", {"number": 6, "hash": digest})
    assert audit.verify() == []
    assert [problem.entry for problem in audit.verify(noted=noted)] == [last.id]


def test_an_older_head_never_replaces_a_newer_one(audit: Audit) -> None:
    """Two processes append; the slower one notes its head last, and the log's end is known all the same."""
    put = audit.records.put
    other = Audit(audit.records, audit.clock)

    def slow(kind: str, *arguments: Any, **more: Any) -> Record:
        if kind == "audit_head":
            audit.records.put = put  # type: ignore[method-assign]
            other.append(actor="ito", action="look", target="incident-7")
        return put(kind, *arguments, **more)

    audit.records.put = slow  # type: ignore[method-assign]
    audit.append(actor="sato", action="look", target="incident-6")
    head = audit.head()
    assert head is not None and head.number == 8 and audit.verify() == []
