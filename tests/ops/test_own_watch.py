"""Dead letters that rise far above the usual reach the audit log, which the rules of the pack `own` read."""

from datetime import timedelta
from pathlib import Path

from hinomi.clock import FixedClock
from hinomi.ledger import Ledger
from hinomi.store.embedded import SqliteRecords
from ops.counts import Counts
from ops.own_watch import DeadLetters
from tests.responders.city import NIGHT


def test_a_rise_is_said_once_and_what_is_usual_is_not(tmp_path: Path) -> None:
    """A source with a steady few is quiet; four hundred at once are said; the same every time becomes usual."""
    clock = FixedClock(NIGHT)
    records = SqliteRecords(tmp_path / "records.sqlite", clock=clock)
    counts, watch = Counts(records, "worker-0"), DeadLetters(records, clock)

    def came(n: int) -> list[str]:
        ledger = Ledger()
        ledger.count("dead_letter", n, dataset="fortinet.fortigate", reason="not_understood")
        counts.save(ledger)
        clock.advance(timedelta(minutes=10))
        return watch.look()

    assert came(5_000) == [], "what was there before the first look is no rise"
    assert [came(20) for _ in range(6)] == [[]] * 6
    assert came(400) == ["fortinet.fortigate"] and watch.look() == []
    assert [came(400) for _ in range(12)][-1] == [], "what comes every time is usual"
    said = [one.body for one in records.find("audit", {"action": "source.dead_letters"})]
    assert said[0]["target"] == "fortinet.fortigate" and said[0]["details"]["lines"] == 400
    assert DeadLetters(records, clock).look() == [], "a restart goes on from what was kept"
