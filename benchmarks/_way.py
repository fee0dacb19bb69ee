"""Where a page's time goes between its raw line and its mail, read afterwards from what the tower wrote down anyway."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from hinomi.batch import SIGNALS
from hinomi.store.embedded import ParquetEvents, SqliteRecords

_SLOWEST = 5
PAGE = re.compile(r"(?:door|staff|web|dmz)(\d{4})", re.ASCII)
STAGES = {
    "received": "on the spool",
    "parsed": "read by the worker, parsed",
    "matched": "rules matched",
    "found": "stored, read by the responder, correlated",
    "opened": "alert and incident written",
    "planned": "called (bundling below grade 3), in the outbox",
    "mail": "taken by the mail server",
}
"""What ends each part of the way."""


def way(data: Path, sent: Mapping[int, float], came: Mapping[int, float]) -> dict[int, list[float]]:
    """Page → seconds since 1970 at its line and at the end of each stage; pages that are not there whole are left out."""
    at: dict[int, dict[str, float]] = {n: {"sent": time} for n, time in sent.items()}
    events, records = ParquetEvents(data / "events"), SqliteRecords(data / "records.sqlite")
    try:
        for n, stage, time in [*_of_events(events), *_of_records(records), *_of_mail(came)]:
            if n in at:
                at[n][stage] = min(time, at[n].get(stage, time))
    finally:
        events.close()
        records.close()
    return {
        n: [times["sent"], *(times[stage] for stage in STAGES)]
        for n, times in at.items()
        if len(times) == len(STAGES) + 1
    }


def _of_events(events: ParquetEvents) -> Iterator[tuple[int, str, float]]:
    columns = ["event.id", "event.original", "event.created", "event.ingested"]
    frame = pl.concat(list(events.scan("linux.auth", columns=columns)), how="diagonal_relaxed")
    pages = {}
    for identity, text, received, parsed in frame.select(columns).iter_rows():
        if found := PAGE.search(text):
            pages[identity] = int(found[1])
            yield int(found[1]), "received", received.timestamp()
            yield int(found[1]), "parsed", parsed.timestamp()
    about = ["hinomi.signal.event_id", "event.ingested"]
    for signals in events.scan(SIGNALS, columns=about):
        for identity, matched in signals.select(about).iter_rows():
            if identity in pages:
                yield pages[identity], "matched", matched.timestamp()


def _of_records(records: SqliteRecords) -> Iterator[tuple[int, str, float]]:
    of: dict[str, int] = {}
    for incident in records.find("incident", limit=100_000):
        if (found := PAGE.search(str(incident.body["entities"]))) is None:
            continue
        of[incident.id] = int(found[1])
        yield int(found[1]), "opened", _seconds(incident.body["opened"])
        for alert in filter(None, (records.get("alert", one) for one in incident.body["alert_ids"])):
            yield int(found[1]), "found", _seconds(alert.body["detected"])
    for message in records.find("notification", limit=100_000):
        if (n := of.get(message.body["incident_id"])) is not None:
            yield n, "planned", _seconds(message.body["created"])


def _of_mail(came: Mapping[int, float]) -> Iterator[tuple[int, str, float]]:
    return ((n, "mail", at) for n, at in came.items())


def _seconds(text: Any) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


def tell(ways: Mapping[int, list[float]]) -> None:
    """Median and p99 of each part, by grade, as bundling holds some back; and the slowest pages, part by part."""
    for grade, rest in ((3, 0), (2, 1)):
        own = [times for n, times in ways.items() if n % 2 == rest]
        if not own:
            continue
        print(f"grade {grade}: where the time goes ({len(own)} pages)   median     p99")
        for number, (stage, words) in enumerate(STAGES.items()):
            took = sorted(times[number + 1] - times[number] for times in own)
            p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
            print(f"  {stage:9} {words:47} {median(took):7.2f} {p99:7.2f} s")
    for n, times in sorted(ways.items(), key=lambda one: one[1][0] - one[1][-1])[:_SLOWEST]:
        parts = (f"{stage} {times[i + 1] - times[i]:.2f}" for i, stage in enumerate(STAGES))
        print(
            f"  slow: page {n:4} (grade {2 if n % 2 else 3}) {times[-1] - times[0]:6.2f} s: {', '.join(parts)}"
        )
