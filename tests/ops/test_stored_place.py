"""A collector believes its own note of how far its lines are stored, whatever another wrote into the store."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.spool.position import Position
from hinomi.store.elastic.events import ElasticEvents
from ops.roles.start import Role
from ops.roles.worker import Worker
from ops.rundir import RunDir
from ops.settings import Settings
from ops.stored_place import StoredPlace

OWN, AHEAD, STORE, NEXT = (str(Position("s", segment, 7)) for segment in (3, 999, 2, 4))


class Claimed(ElasticEvents):
    """A store in which somebody with another collector's password wrote this lane's checkpoint."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def checkpoint(self, name: str) -> str | None:
        return self._value


@pytest.mark.parametrize(
    ("own", "claimed", "begins"),
    [(OWN, AHEAD, OWN), (OWN, None, OWN), (None, STORE, STORE), ("", STORE, STORE), (None, None, None)],
)  # fmt: skip
def test_its_own_note_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, claimed: str | None, begins: str | None
) -> None:
    """Nothing that waits in the spool is passed over; without a note, or with one that the power took, the store's counts."""
    if own is not None:
        StoredPlace(tmp_path / "stored", "lane-0").note(own)
    monkeypatch.setattr(Worker, "_ahead", lambda *_: None)
    worker = Worker(Role("worker-0", tmp_path, Settings(), RunDir.of(tmp_path)))
    pipeline: Any = SimpleNamespace(events=Claimed(claimed))
    lane = worker._lane(pipeline, "lane-0")
    assert lane.after == lane.read == begins
    lane.flow.stored = NEXT
    worker._stored(lane)
    assert StoredPlace(tmp_path / "stored", "lane-0").read() == NEXT
