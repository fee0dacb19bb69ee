"""A decision among any number of waiting plans is acted on in the next round; what comes by time, when its turn comes."""

from pathlib import Path

from hinomi.store.embedded import SqliteRecords
from responders.playbooks.run import KIND
from responders.playbooks.turns import Turns, nudge


def test_a_nudge_comes_first_and_every_run_has_its_turn(tmp_path: Path) -> None:
    """Seven hundred plans wait: a round looks at a portion, the one that was decided on and the new one among them; after
    three rounds each was looked at; what is over never is."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    for n in range(700):
        records.put(KIND, f"r{n:03}", {"state": "proposed"})
    for n in range(3):
        records.put(KIND, f"done{n}", {"state": "done"})
    turns = Turns(records)
    nudge(records, "r699")
    nudge(records, "done1")
    turns.new("r650")
    first = [one.id for one in turns.each()]
    assert first[:2] == ["r699", "r650"] and len(first) == 302
    seen = {*first, *(one.id for _ in range(2) for one in turns.each())}
    assert seen == {f"r{n:03}" for n in range(700)} and records.find("run_nudge") == []
