"""The watch over sources, day by day on a clock of its own, with the real incidents behind it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from collectors.rhythm import Arrived, Kind, RhythmSettings, Sender, SourceRhythm, Tally
from collectors.rhythm.tally import slot_of
from hinomi.alert import Alert
from hinomi.batch import DEAD_LETTERS, Batch
from hinomi.clock import FixedClock
from hinomi.incident import Incident
from hinomi.ledger import Ledger
from hinomi.store.embedded import SqliteRecords
from ops.arrivals import Arrivals
from ops.rhythm import Rhythm
from responders.incidents import casefile
from responders.responder import Responder
from responders.settings import ResponderSettings

MONDAY = datetime(2026, 11, 15, 15, tzinfo=UTC)  # 00:00 on Monday the 16th in Japan
TEN = timedelta(minutes=10)


@dataclass
class City:
    """One worker that tallies and one watch, turned every ten minutes of a clock that we move."""

    folder: Path
    settings: RhythmSettings
    declared: dict[str, str] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(MONDAY))

    def __post_init__(self) -> None:
        self.records = SqliteRecords(self.folder / "records.sqlite", clock=self.clock)
        self.records._db.execute("pragma synchronous=off")  # thousands of turns; no power is cut here
        self.responder = Responder.of(self.records, self.clock, ResponderSettings(), b"k" * 32)
        self.restart()

    def restart(self) -> None:
        """Both processes anew, from what they kept."""
        self.arrivals = Arrivals(self.records, "worker-0", self.clock, Ledger())
        self.watch = Rhythm(self.records, self.settings, self.declared, self.clock)
        self.watch.load()

    def came(
        self, origin: str, n: int, *, host: str = "", late: float = 2, dead: int = 0, drop: str = ""
    ) -> None:
        """Lines that arrive now."""
        now = self.clock.now().timestamp()
        slots = self.arrivals.tally.slots.setdefault(slot_of(now), {})
        arrived = slots.setdefault(origin, Arrived(source="fortinet.fortigate"))
        arrived.add(n + dead, now, late)
        arrived.dead += dead
        for name in {"user.name", "source.ip"} - {drop}:
            arrived.fields[name] = arrived.fields.get(name, 0) + n
        arrived.senders.setdefault(host or "192.0.2.1", Sender()).add(n, now, late)
        self.arrivals.tally.changed.add(slot_of(now))

    def turn(self) -> None:
        """The worker saves, the watch looks."""
        self.arrivals.through = self.clock.now().timestamp()
        self.arrivals._said = 0.0
        self.arrivals.save()
        self.watch._looked = float("-inf")
        self.watch.turn(self.responder.receive)

    def live(self, until: timedelta, each: Callable[[datetime], None] = lambda _: None) -> None:
        """Let time pass in steps of ten minutes; `each` says what arrives."""
        end = self.clock.now() + until
        while self.clock.now() < end:
            self.clock.advance(TEN)
            each(self.clock.now())
            self.turn()

    def alerts(self, kind: Kind) -> list[Alert]:
        """Operational alerts of a kind so far."""
        found = self.records.find("alert", {"rule_id": f"hinomi-rhythm-{kind}"})
        return [Alert.model_validate(record.body) for record in found]

    def incident(self, alert: Alert) -> Incident:
        """The incident of an alert."""
        return casefile.read(self.records, alert.incident_id)

    def all_kinds(self) -> list[Alert]:
        """Every operational alert."""
        return [alert for kind in Kind for alert in self.alerts(kind)]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path, RhythmSettings(warm_up_days=1))


def _office(city: City) -> Callable[[datetime], None]:
    """Arrivals of an office system: working days from 8 to 18."""

    def each(now: datetime) -> None:
        local = now + timedelta(hours=9)
        if local.weekday() < 5 and 8 <= local.hour < 18:
            city.came("office", 40)
        city.came("firewall", 500)

    return each


def test_silence_is_told_once_with_an_incident_and_its_end_is_noted(city: City) -> None:
    """A firewall that stops is told within the hour, once, also across a restart; when it speaks again the incident
    says so."""
    city.live(timedelta(days=2), lambda _: city.came("firewall", 500))
    assert city.all_kinds() == []
    city.live(timedelta(minutes=30))
    city.restart()
    city.live(timedelta(hours=5))
    (alert,) = city.alerts(Kind.SILENT)
    assert alert.first == city.clock.now() - timedelta(hours=5, minutes=30)
    assert alert.detected - alert.first <= timedelta(minutes=40)
    assert "途絶えています" in alert.reason_ja and alert.title_ja == "ログの途絶: firewall"
    incident = city.incident(alert)
    assert incident.playbooks == ["source_silent"] and incident.grade == 1
    city.restart()
    assert Kind.SILENT in city.watch.units["firewall", ""].standing
    city.came("firewall", 500)
    city.turn()
    told = [line.ja for line in city.incident(alert).timeline if line.kind == "comment"]
    assert told == [
        "ログの途絶: firewall: 6時間ぶりに届き始めました。届かなかった間の記録を確かめてください。"
    ]
    city.live(timedelta(hours=3), lambda _: city.came("firewall", 500))
    assert len(city.alerts(Kind.SILENT)) == 1
    (again,) = city.alerts(Kind.SILENT)
    assert again.fields["hinomi.over"]


def test_an_office_system_may_sleep_at_night_and_at_the_weekend(city: City) -> None:
    """Nights, a weekend and a holiday (23 November 2026) raise nothing; a silent Tuesday morning does."""
    city.live(timedelta(days=7, hours=23), _office(city))
    assert city.all_kinds() == []
    city.live(timedelta(days=1, hours=2), lambda _: city.came("firewall", 500))
    (alert,) = city.alerts(Kind.SILENT)
    assert alert.fields["hinomi.origin"] == ["office"]
    local = alert.detected + timedelta(hours=9)
    assert (local.day, local.hour) == (24, 8)


def test_the_towers_own_absence_is_nobodys_silence(city: City) -> None:
    """After two days with the tower switched off nothing is told, as nothing could be heard."""
    city.live(timedelta(days=2), lambda _: city.came("firewall", 500))
    city.clock.advance(timedelta(days=2))
    city.restart()
    city.live(timedelta(hours=2), lambda _: city.came("firewall", 500))
    assert city.all_kinds() == []


def test_one_of_many_senders_goes_silent(city: City) -> None:
    """Behind one relay a server stops while the rest goes on: told by its name; a PC that is switched off is not."""

    def each(now: datetime) -> None:
        for host in ("sv01", "sv02"):
            city.came("relay", 30, host=host)
        if 9 <= (now + timedelta(hours=9)).hour < 17:
            city.came("relay", 5, host="pc77")

    city.live(timedelta(days=2), each)
    assert city.all_kinds() == []
    city.live(timedelta(days=2), lambda _: city.came("relay", 30, host="sv01"))
    (alert,) = city.alerts(Kind.SILENT)
    assert alert.entities == {"host.name": ["sv02"]} and alert.title_ja == "ログの途絶: relay / sv02"


def test_many_that_fall_silent_together_are_one_alert(city: City) -> None:
    """A cut line silences five sources: one alert names them."""
    names = [f"source{n}" for n in range(5)]
    city.live(timedelta(days=2), lambda _: [city.came(name, 100) for name in names] and None)
    city.live(timedelta(hours=3))
    (alert,) = city.alerts(Kind.SILENT)
    assert alert.fields["hinomi.origin"] == names and alert.event_count == 5
    assert alert.title_ja.endswith("ほか2か所")
    entries = [one.body for one in city.records.find("audit", {"action": "source.silent"})]
    assert [entry["target"] for entry in entries] == names, (
        "each is in the audit log, for the rules of the pack own"
    )
    assert {entry["details"]["alert"] for entry in entries} == {alert.id}


def test_flood_and_what_is_no_flood(city: City) -> None:
    """Ten times the usual peak above the floor is a flood; three times is a busy day; its end is noted."""
    city.live(timedelta(days=2), lambda _: city.came("firewall", 5_000))
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 15_000))
    assert city.all_kinds() == []
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 200_000))
    (alert,) = city.alerts(Kind.FLOOD)
    assert alert.reason_ja == "10分間に 200,000 行届きました。いつもの多いときは 15,000 行です。"
    city.live(timedelta(minutes=40), lambda _: city.came("firewall", 5_000))
    assert "元に戻りました" in city.incident(alert).timeline[-1].ja


def test_time_that_jumps(city: City) -> None:
    """Japan time taken for UTC is said as such, at once; a source that is always late is not."""
    city.live(
        timedelta(days=2), lambda _: (city.came("firewall", 100), city.came("pulled", 100, late=5_000))[0]
    )
    assert city.all_kinds() == []
    city.came("new", 100, late=-9 * 3600)
    city.turn()
    (ahead,) = city.alerts(Kind.TIME)
    assert "9時間進んでいます。日本時間と協定世界時(UTC)の取り違え" in ahead.reason_ja
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 100, late=4_000))
    (behind,) = (one for one in city.alerts(Kind.TIME) if one.id != ahead.id)
    assert "遅れています" in behind.reason_ja and behind.fields["hinomi.origin"] == ["firewall"]
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 100))
    assert "直りました" in city.incident(behind).timeline[-1].ja


def test_what_comes_at_the_end_of_a_slot_is_judged_in_the_next(city: City) -> None:
    """A wrong clock in the last second of ten minutes, before the watch looks: told at the next look, once, then over."""
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 100))
    city.clock.advance(TEN - timedelta(seconds=1))
    city.came("new", 100, late=-9 * 3600)
    city.clock.advance(timedelta(seconds=2))
    city.turn()
    (ahead,) = city.alerts(Kind.TIME)
    assert ahead.fields["hinomi.origin"] == ["new"]
    city.live(timedelta(hours=1), lambda _: city.came("new", 100))
    assert len(city.alerts(Kind.TIME)) == 1
    assert "直りました" in city.incident(ahead).timeline[-1].ja


def test_a_format_that_changes(city: City) -> None:
    """Lines that are no longer read, and a field that was always there and is gone."""
    city.live(timedelta(days=2), lambda _: (city.came("firewall", 300, dead=3), city.came("proxy", 300))[0])
    assert city.all_kinds() == []
    city.live(timedelta(hours=1), lambda _: city.came("firewall", 100, dead=200))
    (unread,) = city.alerts(Kind.FORMAT)
    assert unread.reason_ja.startswith("読めない行が 67% になりました(いつもは 1%)。")
    city.live(
        timedelta(hours=1),
        lambda _: (city.came("firewall", 300), city.came("proxy", 300, drop="user.name"))[0],
    )
    (gone,) = (one for one in city.alerts(Kind.FORMAT) if one.id != unread.id)
    assert gone.reason_ja == "いつもある項目がなくなりました: user.name。"
    assert "元に戻りました" in city.incident(unread).timeline[-1].ja


def test_declared_silence_needs_no_learning(tmp_path: Path) -> None:
    """`silent_after` counts from the start, also for a source that never spoke, and only in office hours where asked."""
    declared = {"office": "auto", "never": "auto", "ignored": "auto"}
    sources = {
        "office": SourceRhythm.model_validate({"silent_after": 30, "hours": "office"}),
        "never": SourceRhythm(silent_after=60),
        "ignored": SourceRhythm(silent_after=1, watch=False),
    }
    city = City(tmp_path, RhythmSettings(sources=sources), declared)
    city.live(timedelta(minutes=90))
    (never,) = city.alerts(Kind.SILENT)
    assert never.fields["hinomi.origin"] == ["never"] and "一度も届いていません" in never.reason_ja
    city.came("office", 1)
    city.live(timedelta(hours=7))
    assert len(city.alerts(Kind.SILENT)) == 1, "before 9:00 the office owes nothing"
    city.live(timedelta(hours=1))
    assert len(city.alerts(Kind.SILENT)) == 2


def test_a_block_is_tallied_by_sender_and_field(tmp_path: Path) -> None:
    """Lines by host where the lines name one, else by peer; lines not understood; fields; the middle line's delay."""
    now = MONDAY
    made = pl.DataFrame(
        {
            "@timestamp": [now - timedelta(seconds=n) for n in (1, 2, 30)],
            "event.created": [now] * 3,
            "host.name": ["SV01", "sv02", None],
            "user.name": ["yamada", None, "sato"],
            "event.id": ["a", "b", "c"],
        }
    )
    dead = pl.DataFrame({"@timestamp": [now], "event.original": ["?"]})
    tally = Tally()
    batches = [
        Batch.of("linux.auth", made, origin="syslog", ingested=now),
        Batch.of(DEAD_LETTERS, dead, origin="syslog", ingested=now),
    ]
    came = {"event.id": ["a", "b", "c", "d"], "peer": ["192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.9"]}
    tally.took("syslog", batches, pl.DataFrame(came).with_columns(pl.lit(now).alias("received")))
    said = tally.take(now.timestamp())[slot_of(now.timestamp())]["syslog"]
    assert (said["n"], said["dead"], said["late"], said["source"]) == (4, 1, 2.0, "linux.auth")
    assert set(said["senders"]) == {"sv01", "sv02", "192.0.2.9"}
    assert said["fields"] == {"host.name": 2, "user.name": 2}


def test_the_latest_of_equal_blocks_tells_the_lateness() -> None:
    """Two runs of a worker told of a slot: whichever record is read first, the later block counts, so a clock that jumped
    between them is seen; a larger block counts whenever it came."""
    before = {"n": 30, "last": 100.0, "late": 0.0, "of": 30}
    after = {"n": 30, "last": 160.0, "late": -32_400.0, "of": 30}
    for first, second in ((before, after), (after, before)):
        one = Sender(**first)  # type: ignore[arg-type]
        one.merge(Sender(**second))  # type: ignore[arg-type]
        assert (one.n, one.last, one.late, one.of) == (60, 160.0, -32_400.0, 30)
    larger = Sender(40, 50.0, 2.0, 40)
    larger.merge(Sender(**after))  # type: ignore[arg-type]
    assert (larger.late, larger.of) == (2.0, 40)
