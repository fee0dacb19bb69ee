"""Streams of signals for the correlator's tests, and correlations written as Sigma."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import polars as pl
from hypothesis import strategies as st

from hinomi import signal
from hinomi.alert import Alert
from hinomi.clock import FixedClock
from rules.correlation import Correlator, ruling
from rules.engine import Correlation, correlations
from tests.oracle.correlation_oracle import Asked, Event, Found

START = datetime(2026, 11, 20, tzinfo=UTC)
LATENESS = 60
STEPS = (0, 0, 1, 2, 5, 10, 20, 60, 200)
TIMESPANS = (1, 2, 5, 10, 20, 30)
"""Seconds that add up to each other often, so that windows are met at their very edges."""
NAMES = ("one", "two", "three")


def frame(events: Iterable[Event]) -> pl.DataFrame:
    """Events as signals of base rules, in the order given."""
    rows = [
        {
            "@timestamp": START + timedelta(seconds=event.time),
            "event.id": event.id,
            "event.kind": "signal",
            "rule.id": identity(event.rule),
            "rule.name": event.rule,
            "hinomi.signal.role": "base",
            "hinomi.signal.level": "informational",
            "hinomi.signal.event_id": f"event-{event.id}",
            "hinomi.signal.event_dataset": "test.set",
            "hinomi.signal.fields": orjson.dumps(event.fields).decode(),
        }
        for event in events
    ]
    return pl.DataFrame(rows, schema=signal.SCHEMA)


def identity(name: str) -> str:
    """A rule's id by its name."""
    return str(uuid5(NAMESPACE_URL, name))


def document(asked: Asked, name: str = "asked", **more: Any) -> dict[str, Any]:
    """The correlation as a Sigma document."""
    body: dict[str, Any] = {
        "type": asked.kind,
        "rules": list(asked.rules),
        "timespan": f"{asked.timespan}s",
        "group-by": list(asked.group_by),
    }
    if asked.some:
        body["condition"] = {asked.operator: asked.some}
    if not asked.kind.startswith("temporal"):
        body["condition"] = {asked.operator: asked.bound}
        if asked.below:
            body["condition"]["lt"] = asked.below
        if asked.counted:
            body["condition"]["field"] = asked.counted
        if asked.kind == "value_percentile":
            body["condition"]["percentile"] = asked.percentile
    if asked.expression:
        body["condition"] = asked.expression
    return {
        "title": name,
        "name": name,
        "id": identity(name),
        "level": "high",
        "correlation": body | more,
    }


def correlator(*documents: dict[str, Any], lateness: int = LATENESS, now: int = 10**6) -> Correlator:
    """A correlator for the documents; its clock stands at `now` seconds after the stream's start."""
    ids = {name: identity(name) for name in NAMES} | {one["name"]: one["id"] for one in documents}
    written = [Correlation(correlations.read(one), Path("test.yml"), one) for one in documents]
    rules = ruling.ready(written, ids, {})
    clock = FixedClock(START + timedelta(seconds=now))
    return Correlator(rules[0], {}, [], clock, timedelta(seconds=lateness))


def run(one: Correlator, chunks: Iterable[Sequence[Event]]) -> dict[str, Alert]:
    """Alerts by id as they stand at the end."""
    return {alert.id: alert for chunk in chunks for alert in one.feed(frame(chunk))}


def as_found(asked: Asked, alert: Alert) -> Found:
    """What the alert says, in the oracle's terms (its figure is in words only)."""
    group = tuple(str(alert.fields[name]) for name in asked.group_by)
    first, last = (int((when - START).total_seconds()) for when in (alert.first, alert.last))
    return Found(group, first, last, alert.event_count, 0)


def asked(*kinds: str) -> st.SearchStrategy[Asked]:
    """Correlations that only more events can make hold: their alerts may not hang on the order of arrival."""
    counting = st.builds(
        Asked,
        kind=st.sampled_from([kind for kind in kinds if not kind.startswith("temporal")] or ["event_count"]),
        rules=st.sampled_from([("one",), ("one", "two")]),
        group_by=st.sampled_from([("user",), ("user", "host")]),
        timespan=st.sampled_from(TIMESPANS),
        operator=st.sampled_from(["gte", "gt"]),
        bound=st.integers(1, 3),
        counted=st.just("value"),
    )
    ordered = st.builds(
        Asked,
        kind=st.sampled_from([kind for kind in kinds if kind.startswith("temporal")] or ["temporal"]),
        rules=st.sampled_from([("one", "two"), ("two", "one", "three"), ("one", "one", "two")]),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
    )
    some = st.builds(
        Asked,
        kind=st.just("temporal"),
        rules=st.sampled_from([NAMES, ("one", "two"), ("one", "one", "two")]),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
        operator=st.sampled_from(["gte", "gt"]),
        some=st.integers(1, 3),
    )
    return st.one_of(counting, ordered, *([some] if "temporal" in kinds else []))


def ending() -> st.SearchStrategy[Asked]:
    """Correlations that more events can end: averages and the like, upper bounds, `not`."""
    figures = st.builds(
        Asked,
        kind=st.sampled_from(["value_avg", "value_median", "value_percentile", "event_count", "value_sum"]),
        rules=st.sampled_from([("one",), ("one", "two")]),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
        operator=st.sampled_from(["gte", "gt", "lt", "lte", "eq", "neq"]),
        bound=st.integers(1, 3),
        counted=st.just("value"),
        percentile=st.sampled_from([0, 10, 50, 90, 99, 100]),
    )
    ranges = st.builds(
        Asked,
        kind=st.sampled_from(["event_count", "value_count", "value_sum", "value_avg"]),
        rules=st.just(("one", "two")),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
        operator=st.sampled_from(["gte", "gt"]),
        bound=st.integers(1, 2),
        below=st.integers(2, 4),
        counted=st.just("value"),
    )
    few = st.builds(
        Asked,
        kind=st.just("temporal"),
        rules=st.just(NAMES),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
        operator=st.sampled_from(["eq", "lt", "lte", "neq"]),
        some=st.integers(1, 3),
    )
    expressions = st.builds(
        Asked,
        kind=st.just("temporal"),
        rules=st.just(NAMES),
        group_by=st.just(("user",)),
        timespan=st.sampled_from(TIMESPANS),
        expression=st.sampled_from(
            [
                "one and not two and not three",
                "one or two and three",
                "not one and not (two and three)",
                "(one or two) and not three",
                "one and two and three",
            ]
        ),
    )
    return st.one_of(figures, ranges, few, expressions)


def _held(values: str) -> st.SearchStrategy[str | list[str]]:
    """A value, mostly; else a list of some, which may say one twice."""
    one = st.sampled_from(values)
    return st.one_of(one, one, one, st.lists(one, max_size=3))


@st.composite
def events(draw: st.DrawFn, most: int = 40, *, apart: bool = False) -> list[Event]:
    """Events in order of time, often several at one moment; apart: each at a moment of its own."""
    steps = draw(st.lists(st.sampled_from([step for step in STEPS if step or not apart]), max_size=most))
    made, time = [], 0
    for number, step in enumerate(steps):
        time += step
        fields: dict[str, str | list[str]] = {"user": draw(_held("ab")), "value": draw(_held("123"))}
        if draw(st.booleans()):
            fields["host"] = draw(_held("xy"))
        made.append(Event(time, f"{number:03}", draw(st.sampled_from(NAMES)), fields))
    return made


def chunked(draw: st.DrawFn, stream: Sequence[Event]) -> list[Sequence[Event]]:
    """The stream cut anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def as_detection(rule_id: str) -> list[pl.Expr]:
    """Columns that make a frame's signals those of a detection rule."""
    return [pl.lit(rule_id).alias("rule.id"), pl.lit("detection").alias("hinomi.signal.role")]
