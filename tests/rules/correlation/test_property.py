"""The correlator against an oracle that knows neither state nor order of arrival."""

import json
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import correlation_oracle as oracle
from tests.oracle.correlation_oracle import Asked, Event, Found
from tests.rules.correlation import streams

KINDS = ("event_count", "value_count", "value_sum", "temporal", "temporal_ordered")


def _expected(asked: Asked, stream: Sequence[Event]) -> list[Found]:
    return [replace(found, peak=0) for found in oracle.bursts(asked, stream)]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), asked=streams.asked(*KINDS), stream=streams.events())
def test_in_order_however_cut(data: st.DataObject, asked: Asked, stream: list[Event]) -> None:
    """Signals in order of time give exactly the oracle's bursts, under the same ids however the stream is cut."""
    cut = data.draw(st.composite(streams.chunked)(stream))
    alerts = streams.run(streams.correlator(streams.document(asked)), cut)
    whole = streams.run(streams.correlator(streams.document(asked)), [stream])
    assert sorted(streams.as_found(asked, alert).group for alert in alerts.values()) == sorted(
        found.group for found in _expected(asked, stream)
    )
    said = sorted((streams.as_found(asked, alert) for alert in alerts.values()), key=str)
    assert said == sorted(_expected(asked, stream), key=str)
    assert alerts == whole


@settings(max_examples=300, deadline=None)
@given(data=st.data(), asked=streams.asked(*KINDS), stream=streams.events())
def test_late_doubled_and_restarted(data: st.DataObject, asked: Asked, stream: list[Event]) -> None:
    """Late within the allowance, some twice, restarts in between: each of the oracle's bursts is told exactly; an
    alert beside them can only be of two bursts that a late event joined, and lies inside the joined one."""
    delays = data.draw(st.lists(st.integers(0, streams.LATENESS), min_size=len(stream), max_size=len(stream)))
    arrivals = [
        event
        for _, event in sorted(
            zip(delays, stream, strict=True), key=lambda pair: (pair[1].time + pair[0], pair[1].id)
        )
    ]
    one, alerts = streams.correlator(streams.document(asked)), {}
    for chunk in data.draw(st.composite(streams.chunked)(arrivals)):
        again = data.draw(st.booleans())
        for _ in range(1 + again):
            alerts |= streams.run(one, [chunk])
        if data.draw(st.booleans()):
            kept = json.loads(json.dumps(one.dump()))
            one = streams.correlator(streams.document(asked))
            one.load(kept)
    said = [streams.as_found(asked, alert) for alert in alerts.values()]
    expected = _expected(asked, stream)
    assert [found for found in expected if said.count(found) != 1] == []
    assert all(any(_inside(one, found) for found in expected) for one in said)


def _inside(part: Found, whole: Found) -> bool:
    return part.group == whole.group and whole.first <= part.first and part.last <= whole.last


@settings(max_examples=300, deadline=None)
@given(data=st.data(), asked=streams.ending(), stream=streams.events(apart=True))
def test_what_more_events_can_end(data: st.DataObject, asked: Asked, stream: list[Event]) -> None:
    """Averages, percentiles, upper bounds and `not`, in order of time: the oracle's bursts, however the stream is cut."""
    one = streams.correlator(streams.document(asked))
    alerts = streams.run(one, data.draw(st.composite(streams.chunked)(stream)))
    said = sorted((streams.as_found(asked, alert) for alert in alerts.values()), key=str)
    assert said == sorted(_expected(asked, stream), key=str)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), asked=streams.asked(*KINDS), stream=streams.events())
def test_several_collectors(data: st.DataObject, asked: Asked, stream: list[Event]) -> None:
    """Three collectors, each behind by its own time, one of which sends everything twice: the oracle's bursts, exactly."""
    behind = data.draw(st.lists(st.integers(0, streams.LATENESS), min_size=3, max_size=3))
    owner = data.draw(st.lists(st.integers(0, 2), min_size=len(stream), max_size=len(stream)))
    arrivals = sorted(
        ((event.time + behind[who] + again, who, event.id, event) for who, event in zip(owner, stream, strict=True)
         for again in ((0, 1) if who == 0 else (0,))),
        key=lambda one: one[:3],
    )  # fmt: skip
    one = streams.correlator(streams.document(asked), lateness=streams.LATENESS + 1)
    alerts = streams.run(one, data.draw(st.composite(streams.chunked)([event for *_, event in arrivals])))
    said = [streams.as_found(asked, alert) for alert in alerts.values()]
    expected = _expected(asked, stream)
    assert [found for found in expected if said.count(found) != 1] == []
    assert all(any(_inside(one, found) for found in expected) for one in said)
