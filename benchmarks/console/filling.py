"""A month of a city in an embedded store: proxy and firewall lines, alerts on them, incidents of 25 alerts.

Events are appended through the store, a day a batch. Alerts and incidents are written to the records' file in one
transaction: the console only reads them, and a hundred thousand synced commits would measure the disk.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import polars as pl

from hinomi.alert import Alert, Level
from hinomi.batch import Batch
from hinomi.incident import Happening, Incident, Status, Verdict
from tests.dashboards.city import NOW, City

_DAYS, _EACH, _OPEN, _EVIDENCE = 30, 25, 10, 4
_FIRST = NOW - timedelta(days=_DAYS)
_VERDICTS = (Verdict.BENIGN, Verdict.FALSE_POSITIVE, Verdict.TRUE_POSITIVE)
_LEVELS = (Level.MEDIUM, Level.MEDIUM, Level.LOW, Level.HIGH, Level.CRITICAL)
RuleName = tuple[str, str, str]
"""Id, name and title of a rule."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is held."""

    events: int
    alerts: int

    @property
    def incidents(self) -> int:
        """Incidents beside those of the seeded city."""
        return self.alerts // _EACH

    def time(self, event: int) -> datetime:
        """When the event of this number happened."""
        return _FIRST + timedelta(seconds=_DAYS * 86_400 * event / self.events)


def fill(city: City, folder: Path, size: Size, rules: Sequence[RuleName]) -> None:
    """Events, then alerts and incidents; one incident in ten is open."""
    day = -(-size.events // _DAYS)
    for start in range(0, size.events, day):
        numbers = pl.select(pl.int_range(start, min(start + day, size.events)).alias("n"))
        for dataset, part in (("squid.access", 0), ("fortinet.fortigate", 1)):
            frame = _lines(numbers.filter(pl.col("n") % 2 == part), size, dataset)
            city.events.append([Batch.of(dataset, frame, origin="bench", ingested=NOW)])
    with sqlite3.connect(folder / "records.sqlite") as db:
        rows = ((kind, key, 1, body, written) for kind, key, body, written in _casework(size, rules))
        db.executemany("insert into record values (?,?,?,?,?)", rows)
    db.close()


def _lines(numbers: pl.DataFrame, size: Size, dataset: str) -> pl.DataFrame:
    n = pl.col("n")
    step = _DAYS * 86_400 * 1_000_000_000 // size.events
    start = int(_FIRST.astimezone(UTC).timestamp()) * 1_000_000_000
    text = n.cast(pl.String)
    web = dataset == "squid.access"
    address = pl.concat_str(pl.lit("10.30."), (n % 200).cast(pl.String), pl.lit(".7"))
    return numbers.select(
        (pl.lit(start) + n * step).cast(pl.Datetime("ns", "UTC")).alias("@timestamp"),
        pl.concat_str(pl.lit("bench-"), text).alias("event.id"),
        pl.lit("TCP_MISS" if web else "accept").alias("event.action"),
        pl.lit(["web"] if web else ["network"]).alias("event.category"),
        _user(n).alias("user.name"),
        address.alias("source.ip"),
        pl.concat_str(pl.lit("198.51.100."), (n % 250).cast(pl.String)).alias("destination.ip"),
        pl.lit("internet").alias("source.zone"),
        pl.lit("external").alias("destination.zone"),
        pl.concat_str(pl.lit("www"), (n % 500).cast(pl.String), pl.lit(".example.jp")).alias("url.domain"),
        (200 + (n % 3) * 100).alias("http.response.status_code"),
        (n * 7919 % 100_000).alias("source.bytes"),
        pl.concat_str(
            pl.lit("1763.0 84 "), address, pl.lit(" TCP_MISS/200 GET http://www.example.jp/"), text
        ).alias("event.original"),
    )


def _user(n: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("user"), (n % 1000).cast(pl.String).str.zfill(4))


def _casework(size: Size, rules: Sequence[RuleName]) -> Iterator[tuple[str, str, str, str]]:
    """(kind, id, body, when it was written) of every alert and incident."""
    for number in range(size.incidents):
        alerts = [_alert(size, rules, number, n) for n in range(_EACH)]
        for alert in alerts:
            yield "alert", alert.id, _json(alert.model_dump(mode="json")), _utc(alert.detected)
        incident = _incident(size, number, alerts)
        yield "incident", incident.id, _json(incident.model_dump(mode="json")), _utc(incident.updated)


def _utc(time: datetime) -> str:
    return min(time, NOW).astimezone(UTC).isoformat()


def _json(body: dict[str, object]) -> str:
    return orjson.dumps(body).decode()


def _alert(size: Size, rules: Sequence[RuleName], number: int, n: int) -> Alert:
    place = (number * _EACH + n) * 7919
    event = (size.events * number // size.incidents + n * n * 37) % size.events
    events = [min(event + 2 * step, size.events - 1) for step in range(_EVIDENCE)]
    rule, name, title = rules[place % len(rules)]
    first, last = size.time(events[0]), size.time(events[-1])
    return Alert(
        id=f"b{number}-{n}",
        rule_id=rule,
        rule_name=name,
        title_ja=title,
        title_en=title,
        level=_LEVELS[place % len(_LEVELS)],
        first=first,
        last=last,
        detected=last + timedelta(seconds=30),
        entities={"user.name": [f"user{event % 1000:04}"], "source.ip": [f"10.30.{event % 200}.7"]},
        zones=["internet"],
        datasets=["squid.access" if event % 2 == 0 else "fortinet.fortigate"],
        event_ids=[f"bench-{one}" for one in events],
        event_count=_EVIDENCE,
        incident_id=f"b{number}",
    )


def _incident(size: Size, number: int, alerts: Sequence[Alert]) -> Incident:
    closed, taken = number % _OPEN != 0, number % (2 * _OPEN) != 0
    first, last = min(one.first for one in alerts), max(one.last for one in alerts)
    entities = {
        name: sorted({value for one in alerts for value in one.entities[name]})
        for name in ("user.name", "source.ip")
    }
    return Incident(
        id=f"b{number}",
        number=100 + number,
        title_ja=f"端末 10.30.{number % 200}.7 の不審な通信",
        title_en=f"Suspicious traffic of 10.30.{number % 200}.7",
        status=Status.CLOSED if closed else Status.ACKNOWLEDGED if taken else Status.NEW,
        grade=number % 3,
        level=max((one.level for one in alerts), key=lambda level: level.rank),
        first=first,
        last=last,
        opened=last,
        updated=last + timedelta(hours=2 if closed else 0),
        assignee="m.kato" if taken else "",
        acknowledged_by="m.kato" if taken else "",
        acknowledged_at=last + timedelta(minutes=9) if taken else None,
        alert_ids=[one.id for one in alerts],
        entities=entities,
        zones=["internet"],
        tags=["attack.command-and-control", "attack.t1071"],
        verdict=_VERDICTS[number % 3] if closed else None,
        timeline=[
            Happening(time=one.last, kind="alert", actor="", ja=one.title_ja, en=one.title_en, ref=one.id)
            for one in alerts
        ],
    )
