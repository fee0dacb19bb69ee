"""Correlations and baselines over what a hunt found: in the order of event time, whatever the order of the files.

They know nothing but the files: a baseline learns within them, and says nothing before it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import orjson
import polars as pl

from ops.hunt.fed import Fed

if TYPE_CHECKING:  # a hunt without correlations needs none of it
    from hinomi.alert import Alert
    from rules.engine import RuleSet

EVENT, PATH = "hinomi.signal.event_id", "log.file.path"
SEEN = (
    "@timestamp",
    "rule.id",
    "hinomi.signal.role",
    EVENT,
    "hinomi.signal.event_dataset",
    "hinomi.signal.fields",
)
"""Of a signal what the correlator looks at."""
MOST = 2_000_000
"""Signals that are kept for it, some hundred bytes each; those beyond are counted, and people are told."""
_SLICE = 5_000


@dataclass(slots=True)
class Aside:
    """What waits for the correlator until all files were read. over: signals that were too many."""

    over: int = 0
    _kept: int = 0
    _parts: list[bytes] = field(default_factory=list)

    def add(self, fed: Fed) -> None:
        """Keep these, or count them."""
        if self._kept + fed.signals > MOST:
            self.over += fed.signals
            return
        self._kept += fed.signals
        self._parts.append(fed.arrow)

    def frame(self) -> pl.DataFrame | None:
        """All of them in the order of event time; None where there are none."""
        if not self._parts:
            return None
        parts, self._parts = self._parts, []
        return pl.concat(pl.read_ipc(BytesIO(part)) for part in parts).sort("@timestamp", EVENT, "rule.id")


@dataclass(slots=True)
class Watch:
    """The correlations and baselines of a rule set. problems: those that cannot run, in words; found: alerts with the file
    of the event that completed each."""

    rules: "RuleSet"
    problems: list[str] = field(default_factory=list)

    def look(self, signals: pl.DataFrame | None) -> "Iterator[tuple[Alert, str]]":
        """Each alert as it stands at the end, by the time of its first event."""
        from hinomi.clock import FixedClock
        from rules.correlation import Correlator, ruling

        made = replace(ruling.of(self.rules), detections={})  # each of their signals was told by itself
        self.problems += map(str, made.problems)
        if signals is None:
            return
        newest = signals["@timestamp"].max()
        assert isinstance(newest, datetime)
        correlator = Correlator.ready(made, FixedClock(newest), lateness=timedelta(minutes=1))
        told = {one.id: one for part in signals.iter_slices(_SLICE) for one in correlator.feed(part)}
        alerts = sorted(told.values(), key=lambda one: (one.first, one.rule_id, one.id))
        paths = _paths(signals, [one.event_ids[-1] for one in alerts if one.event_ids])
        for one in alerts:
            yield one, paths.get(one.event_ids[-1], "") if one.event_ids else ""


def _paths(signals: pl.DataFrame, wanted: Sequence[str]) -> dict[str, str]:
    own = signals.filter(pl.col(EVENT).is_in(wanted)).select(EVENT, PATH).unique(EVENT)
    return dict(own.iter_rows())


def written(alert: "Alert", path: str) -> bytes:
    """An alert as a line of JSON beside signals: rule.id, rule.name, log.file.path, and for an event the stretch of time that
    it is of."""
    document = {
        "@timestamp": alert.last,
        "event": {
            "id": alert.event_ids[-1] if alert.event_ids else alert.id,
            "kind": "alert",
            "dataset": alert.datasets,
            "start": alert.first,
            "end": alert.last,
        },
        "log": {"file": {"path": path}},
        "hinomi": {
            "alert": {
                "kind": alert.kind,
                "event_count": alert.event_count,
                "event_ids": alert.event_ids,
                "fields": alert.fields,
                "entities": alert.entities,
                "reason_ja": alert.reason_ja,
                "reason_en": alert.reason_en,
            }
        },
        "rule": {
            "id": alert.rule_id,
            "name": alert.title_en,
            "level": str(alert.level),
            "tags": alert.tags,
        },
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
