"""The audit log shows every kind of tampering and names the entry."""

from pathlib import Path

import pytest

from hinomi.clock import FixedClock
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
