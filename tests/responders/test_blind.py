"""Nobody can be called by the outbox while the store refuses: the person on call is told of that from what is known here."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store.embedded import SqliteRecords
from ops.blindness import Probe
from responders.audit import Audit
from responders.notify.blind import FILE, Blind
from responders.oncall.standins import OVERRIDE
from responders.settings import ResponderSettings
from tests.responders.city import NIGHT


class Store(SqliteRecords):
    """Records that take a write, or refuse it (a full disk, a cluster that is away)."""

    refuses = False

    def put(self, *given: Any, **more: Any) -> Any:
        if self.refuses:
            raise StoreError("記録を書けません(届きません)。", "records cannot be written: away")
        return super().put(*given, **more)


class City:
    """sato is on call; suzuki is asked ten minutes later. One folder of messages a channel."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder, self.clock = folder, FixedClock(NIGHT)
        self.store = Store(folder / "records.sqlite", clock=self.clock)
        channels = {name: {"kind": "file", "folder": str(folder / name)} for name in ("sato", "suzuki")}
        people = {name: {"name_ja": name, "channels": [name]} for name in ("sato", "suzuki")}
        steps = [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 10, "to": ["suzuki"]}]
        oncall = {"people": people, "layers": [{"people": ["sato"]}], "escalation": {"3": steps}}
        notify = {"channels": channels, **more}
        self.settings = ResponderSettings.model_validate({"oncall": oncall, "notify": notify})
        self.again()

    def again(self, machine: str = "") -> None:
        """The process starts."""
        blind = Blind(self.clock, self.settings, self.folder / FILE, "tower-1")
        self.probe = Probe(self.store, blind, Audit(self.store, self.clock), machine)

    def minutes(self, n: float) -> None:
        """So much time passes, looked at each half minute."""
        for _ in range(int(n * 2)):
            self.clock.advance(timedelta(seconds=30))
            self.probe.look()

    def said(self, who: str) -> list[str]:
        """What came to somebody, in order."""
        folder = self.folder / who
        files = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns) if folder.is_dir() else []
        return [one.read_text(encoding="utf-8") for one in files]


def test_an_hour_without_the_store_is_one_page_and_one_all_clear(tmp_path: Path) -> None:
    """After five minutes, once, across a restart; told again only that it is over; the audit log has it."""
    city = City(tmp_path)
    city.minutes(1)
    city.store.refuses = True
    city.minutes(4)
    assert city.said("sato") == []
    city.minutes(20)
    city.again()
    city.minutes(35)
    [page] = city.said("sato")
    assert "監視が止まっています" in page and "Monitoring is blind" in page and "tower-1" in page
    assert "届きません" in page
    assert city.said("suzuki") == []  # somebody was reached
    city.store.refuses = False
    city.minutes(3)
    assert len(city.said("sato")) == 2 and "復旧" in city.said("sato")[1]
    [entry] = city.store.find("audit")
    assert entry.body["action"] == "notify.blind" and entry.body["details"]["told"] == {"sato": "sato"}
    city.minutes(30)
    assert len(city.said("sato")) == 2


def test_a_short_gap_and_a_flapping_store_call_nobody_twice(tmp_path: Path) -> None:
    """Four minutes call nobody; an answer between two refusals is no recovery."""
    city = City(tmp_path)
    city.store.refuses = True
    city.minutes(4)
    city.store.refuses = False
    city.minutes(2)
    assert not city.said("sato")
    city.store.refuses = True
    city.minutes(6)
    for _ in range(5):
        city.store.refuses = False
        city.minutes(0.5)
        city.store.refuses = True
        city.minutes(2)
    assert len(city.said("sato")) == 1


def test_where_the_first_is_not_reached_the_chain_goes_on(tmp_path: Path) -> None:
    """A channel that refuses is tried again, and the next of the chain is called in his time."""
    city = City(tmp_path)
    (tmp_path / "sato").write_text("no folder can be made here")
    city.store.refuses = True
    city.minutes(7)
    assert city.said("suzuki") == []
    city.minutes(10)
    assert len(city.said("suzuki")) == 1
    (tmp_path / "sato").unlink()
    city.minutes(5)
    assert len(city.said("suzuki")) == 1


def test_a_stand_in_of_tonight_is_known_without_the_store(tmp_path: Path) -> None:
    """Also by a process that starts while the store is away."""
    city = City(tmp_path)
    said = {"start": NIGHT - timedelta(hours=1), "end": NIGHT + timedelta(hours=9)}
    held = {name: at.isoformat() for name, at in said.items()}
    city.store.put(OVERRIDE, "one", {**held, "person": "suzuki", "reason": "代わり", "state": "open"})
    city.minutes(1)
    city.store.refuses = True
    city.again()
    city.minutes(6)
    assert (len(city.said("suzuki")), city.said("sato")) == (1, [])


@pytest.mark.parametrize(("holder", "after"), [("m-1/respond-ab", 5), ("m-2/respond-cd", 15)])
def test_of_several_machines_the_leader_tells_first(tmp_path: Path, holder: str, after: int) -> None:
    """A standby waits three times as long: the leader may be gone with the store."""
    city = City(tmp_path)
    city.again("m-1/")
    city.store.put("lease", "respond", {"holder": holder})
    city.minutes(1)
    city.store.refuses = True
    began: datetime = city.clock.now()
    while not city.said("sato"):
        city.minutes(0.5)
    assert timedelta(minutes=after) <= city.clock.now() - began <= timedelta(minutes=after + 1)


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """`notify.blind_minutes: 0`."""
    city = City(tmp_path, blind_minutes=0)
    city.store.refuses = True
    city.minutes(60)
    assert not city.said("sato")
