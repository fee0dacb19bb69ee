"""What the correlator promises beyond windows: ids that stay, time that cannot be pushed, memory with bounds."""

import json
import tracemalloc
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.alert import Level
from hinomi.clock import FixedClock
from hinomi.errors import ContentError
from hinomi.identity import digest
from rules import baselines
from rules.baselines.apart import Apart
from rules.correlation import Correlator, group, ruling
from rules.correlation.burst import Burst
from rules.correlation.groups import Groups, size
from rules.correlation.measure import ValueAverage, ValueSum
from rules.correlation.rule import joining
from rules.correlation.wording import Figure
from rules.engine import Correlation, Other, correlations, load
from rules.entry import Entry, _parsed
from rules.meta import Meta
from tests.oracle.correlation_oracle import Asked, Event
from tests.rules.correlation import streams

FIVE = Asked("event_count", ("one",), ("user",), 600, "gte", 5)
SPRAY = Asked("value_count", ("one",), ("source.ip",), 600, "gte", 3, "user.name")
THEN = Asked("temporal_ordered", ("spray", "two"), ("source.ip",), 3600)


def same(n: int, *, every: int = 30, start: int = 0, user: str = "a", rule: str = "one") -> list[Event]:
    """n events of one user, evenly spaced."""
    return [
        Event(start + i * every, f"{user}-{rule}-{start + i * every}", rule, {"user": user}) for i in range(n)
    ]


def tried(people: int, *, start: int = 0, rule: str = "one") -> list[Event]:
    """One address, a person a minute."""
    fields = [{"source.ip": "203.0.113.9", "user.name": f"user{i}"} for i in range(people)]
    return [Event(start + i * 60, f"{rule}-{start}-{i}", rule, fields[i]) for i in range(people)]


def test_a_burst_longer_than_memory_keeps_its_start_and_count() -> None:
    """Two and a half hours of a ten-minute rule: entries are forgotten, the alert still says all of it, once."""
    events = same(300)
    one = streams.correlator(streams.document(FIVE))
    alerts = streams.run(one, [events[i : i + 10] for i in range(0, 300, 10)])
    [alert] = alerts.values()
    assert (alert.event_count, alert.last - alert.first) == (300, timedelta(seconds=299 * 30))
    assert sum(len(body["entries"]) for _, _, body in one.dump()["groups"]) < 60
    assert len(alert.event_ids) == 200


def test_an_event_from_the_future_blinds_nothing() -> None:
    """A line dated ten days ahead (a broken clock, or someone's trick) leaves the other windows whole."""
    ahead = Event(10**6 + 864_000, "ahead", "one", {"user": "z"})
    one = streams.correlator(streams.document(FIVE))
    assert len(streams.run(one, [[ahead], *([event] for event in same(5))])) == 1


def test_an_event_from_the_future_stops_no_forgetting() -> None:
    """Event time is never taken to be further than now and the lateness: memory is freed again as time goes on."""
    one = streams.correlator(streams.document(FIVE), now=0)
    streams.run(one, [[Event(864_000, "ahead", "one", {"user": "z"})], same(5)])
    one.clock = FixedClock(streams.START + timedelta(seconds=2000))
    streams.run(one, [same(5, start=1900)])
    assert sum(len(body["entries"]) for _, _, body in one.dump()["groups"]) == 5


def test_a_collector_that_catches_up_after_an_hour() -> None:
    """Another source has gone on for an hour; what was held back, and comes in pieces, is still one alert."""
    held_back, live = same(8, user="a"), same(128, user="b", every=30)
    one = streams.correlator(streams.document(FIVE))
    streams.run(one, [live[:120]])
    turns = [[late, now] for late, now in zip(held_back, live[120:], strict=True)]
    alerts = {i: a for i, a in streams.run(one, turns).items() if a.fields == {"user": "a"}}
    assert [(alert.event_count, alert.fields) for alert in alerts.values()] == [(8, {"user": "a"})]


def test_read_again_long_after() -> None:
    """Signals of a running burst whose entries are forgotten come a second time: no second alert, no higher count."""
    events = same(100)
    one = streams.correlator(streams.document(FIVE))
    before = streams.run(one, [events])
    streams.run(one, [same(40, start=100 * 30)])
    after = streams.run(one, [events[:20]])
    assert after == {}
    assert {count.reason for count in one.ledger.counts} == {"correlation_late"}
    assert len(before) == 1


def test_a_late_event_joins_two_bursts() -> None:
    """Two bursts told apart, then the event between them: the first alert grows over both and keeps its id."""
    two = Asked("event_count", ("one",), ("user",), 40, "gte", 2)
    first, second = same(2, every=10), same(2, every=10, start=60)
    one = streams.correlator(streams.document(two))
    apart = streams.run(one, [first, second])
    joined = streams.run(one, [[Event(35, "late", "one", {"user": "a"})]])
    assert len(apart) == 2
    assert list(joined) == [min(apart.values(), key=lambda alert: alert.first).id]
    assert [alert.event_count for alert in joined.values()] == [5]


def test_what_ends_with_more_is_not_found_in_forgotten_windows() -> None:
    """`lte 2`: a crowd whose first part is forgotten is still a crowd."""
    few = Asked("event_count", ("one",), ("user",), 600, "lte", 2)
    crowd = [Event(i // 4, f"{i:05}", "one", {"user": "a"}) for i in range(8000)]
    one = streams.correlator(streams.document(few))
    assert streams.run(one, [crowd[i : i + 99] for i in range(0, 8000, 99)]) == {}


@pytest.mark.parametrize(("generate", "told"), [(True, {"spray", "then"}), (False, {"then"})])
def test_a_correlation_of_a_correlation(generate: bool, told: set[str]) -> None:
    """Spray, then a sign-in, in one frame or in pieces; the spray speaks for itself only under `generate: true`."""
    documents = streams.document(SPRAY, "spray"), streams.document(THEN, "then", generate=generate)
    events = [*tried(6), *tried(1, start=600, rule="two"), *tried(2, start=700)]
    whole = streams.run(streams.correlator(*documents), [events])
    pieces = streams.run(streams.correlator(*documents), [[event] for event in events])
    assert {alert.rule_name for alert in whole.values()} == told
    assert pieces == whole


def test_a_sign_in_while_the_spray_goes_on() -> None:
    """The spray has held before the sign-in and goes on after it, all in one frame: that is 'spray, then sign-in'."""
    documents = streams.document(SPRAY, "spray"), streams.document(THEN, "then")
    events = sorted([*tried(9), *tried(1, start=210, rule="two")], key=lambda event: event.time)
    assert len(streams.run(streams.correlator(*documents), [events])) == 1
    early = sorted([*tried(9), *tried(1, start=90, rule="two")], key=lambda event: event.time)
    assert streams.run(streams.correlator(*documents), [early]) == {}


def test_a_count_of_correlations_counts_bursts() -> None:
    """Three sprays of one address in a day, however long each was; two long ones are two."""
    thrice = Asked("event_count", ("spray",), ("source.ip",), 86_400, "gte", 3)
    documents = streams.document(SPRAY, "spray"), streams.document(thrice, "thrice")
    two = [*tried(30), *tried(30, start=20_000)]
    assert streams.run(streams.correlator(*documents), [two]) == {}
    assert len(streams.run(streams.correlator(*documents), [[*two, *tried(4, start=40_000)]])) == 1


def test_moments_have_no_order_inside() -> None:
    """Logs that know no more than the second: failure and success of one second are in order either way."""
    ordered = Asked("temporal_ordered", ("one", "two"), ("user",), 60)
    for first, second in (("x", "y"), ("y", "x")):
        events = [Event(5, first, "one", {"user": "a"}), Event(5, second, "two", {"user": "a"})]
        assert len(streams.run(streams.correlator(streams.document(ordered)), [events])) == 1


def test_aliases_give_one_group_to_differently_named_fields() -> None:
    """`group-by: [who]` with an alias: user.name here, user.target.name there."""
    asked = Asked("temporal", ("one", "two"), ("who",), 60)
    who = {"who": {"one": "user.name", "two": "user.target.name"}}
    events = [
        Event(1, "a", "one", {"user.name": "HINOMI\\T.Yamada"}),
        Event(2, "b", "two", {"user.target.name": "t.yamada@city.hinomi.example.jp"}),
        Event(3, "c", "two", {"user.name": "k.ito"}),
    ]
    [alert] = streams.run(streams.correlator(streams.document(asked, aliases=who)), [events]).values()
    assert (alert.fields, alert.event_count) == ({"who": "t.yamada"}, 2)


def test_one_person_in_two_spellings_is_counted_once() -> None:
    """A value_count of people knows a domain prefix and a mail address as the same account."""
    names = ["t.yamada", "HINOMI\\t.yamada", "T.YAMADA@city.hinomi.example.jp"]
    events = [
        Event(i, str(i), "one", {"source.ip": "203.0.113.9", "user.name": name})
        for i, name in enumerate(names)
    ]
    assert streams.run(streams.correlator(streams.document(SPRAY)), [events]) == {}


def test_detections_join_and_informational_ones_stay_silent() -> None:
    """One alert while no more than an hour lies between; Sigma wants none for what is informational."""
    loud = Meta("loud-id", "loud", "鳴る", "loud", Level.HIGH)
    quiet = Meta("quiet-id", "quiet", "静か", "quiet", Level.INFORMATIONAL)
    one = streams.correlator()
    one.detections = {meta.id: joining(meta) for meta in (loud, quiet)}
    times = [0, 3000, 6600, 10_201]
    frames = [
        streams.frame([Event(time, f"{name}{time}", name, {"user.name": "a"})]).with_columns(
            streams.as_detection(f"{name}-id")
        )
        for name in ("loud", "quiet")
        for time in times
    ]
    told = {alert.id: alert for frame in frames for alert in one.feed(frame)}
    assert sorted(alert.event_count for alert in told.values()) == [1, 3]
    assert {alert.rule_id for alert in told.values()} == {"loud-id"}


def test_bounds_are_kept_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group over its bound loses its oldest entries, all groups together the quietest ones; both are counted, and that
    a threshold may have been missed is an alert of its own, which names the rule."""
    monkeypatch.setattr(group, "MOST", 10)
    one, told = streams.correlator(streams.document(FIVE), lateness=0), {}
    one.groups.memory = 16_000  # two groups of ten signals
    for number in range(10):
        told |= streams.run(one, [same(15, every=1, user=f"user{number}", start=number)])
    kept = {tuple(key): len(body["entries"]) for _, key, body in one.dump()["groups"]}
    assert kept == {("user8",): 10, ("user9",): 10}
    counted = {count.reason: n for count, n in one.ledger.counts.items()}
    assert counted == {"correlation_overflow": 50, "correlation_memory": 80}
    [alert] = [alert for alert in told.values() if alert.rule_name == "correlation_memory"]
    assert alert.level is Level.MEDIUM and "asked" in alert.reason_ja and alert.what_to_do_ja
    [alert] = [alert for alert in told.values() if alert.rule_name == "correlation_overflow"]
    assert alert.level is Level.MEDIUM and "asked" in alert.reason_ja and alert.fields["rule.name"]


def test_a_state_of_another_format_is_left_aside() -> None:
    """After an update the correlator starts afresh, and says so in the counts."""
    one = streams.correlator(streams.document(FIVE))
    one.load({"newest": 1, "groups": [["x", [], {}]], "baselines": {}})
    assert [count.reason for count in one.ledger.counts] == ["correlator_state_format"]
    assert len(streams.run(one, [same(5)])) == 1


def test_the_state_is_json_and_forgets_rules_that_are_gone() -> None:
    """What `dump` gives survives JSON; groups of a rule that was taken out are forgotten when they could matter no more."""
    one = streams.correlator(streams.document(FIVE))
    streams.run(one, [same(5)])
    state = json.loads(json.dumps(one.dump()))
    same_rules = streams.correlator(streams.document(FIVE))
    same_rules.load(state)
    assert json.loads(json.dumps(same_rules.dump())) == state
    other = streams.correlator(streams.document(FIVE, "another"))
    other.load(state)
    streams.run(other, [same(1, start=20_000), same(1, start=40_000)])
    assert {rule for rule, _, _ in other.dump()["groups"]} == {streams.identity("another")}


@pytest.mark.parametrize("over", ["reload", "restart"])
def test_a_rule_that_is_gone_for_one_reload_goes_on(over: str) -> None:
    """Four failures, the rule's file cannot be read for a while, the fifth comes after it is mended: that is five."""
    one = streams.correlator(streams.document(FIVE))
    without = streams.correlator(streams.document(FIVE, "another"))
    again = streams.correlator(streams.document(FIVE))
    streams.run(one, [same(4)])
    if over == "reload":
        without.take_over(one)
        streams.run(without, [same(1, user="b", start=100)])
        again.take_over(without)
    else:
        parts = json.loads(json.dumps(one.changes()))
        for part in parts.values():
            without.load(part)
        streams.run(without, [same(1, user="b", start=100)])
        for part in (parts | json.loads(json.dumps(without.changes()))).values():
            again.load(part)
    assert [alert.event_count for alert in streams.run(again, [same(1, start=120)]).values()] == [5]


def gone_on(one: Correlator, other: Correlator, over: str) -> None:
    """The other takes up what the one leaves off, within the process (`reload`) or from what was saved (`restart`)."""
    if over == "reload":
        other.take_over(one)
        return
    for part in json.loads(json.dumps(one.changes())).values():
        other.load(part)


@pytest.mark.parametrize("after", ["reload", "restart"])
@pytest.mark.parametrize("before", ["reload", "restart"])
def test_a_day_long_window_outlives_its_rule_for_a_day(before: str, after: str) -> None:
    """A correlation over a day that is gone while hours of event time pass is as it was: its own timespan counts."""
    daily = Asked("event_count", ("one",), ("user",), 86_400, "gte", 5)
    one, without = (
        streams.correlator(streams.document(daily)),
        streams.correlator(streams.document(FIVE, "x")),
    )
    streams.run(one, [same(4)])
    gone_on(one, without, before)
    streams.run(without, [same(1, user="b", start=start) for start in (20_000, 40_000, 60_000)])
    again = streams.correlator(streams.document(daily))
    gone_on(without, again, after)
    assert len(streams.run(again, [same(1, start=70_000)])) == 1


def test_a_timespan_is_saved_by_whoever_has_it_from_a_state() -> None:
    """Two restarts in a row without the rule: the second knows the timespan, too. States of before have none, and load."""
    daily = Asked("event_count", ("one",), ("user",), 86_400, "gte", 5)
    one = streams.correlator(streams.document(daily))
    streams.run(one, [same(4)])
    second, third = (streams.correlator(streams.document(FIVE, "x")) for _ in range(2))
    gone_on(one, second, "restart")
    assert second.dump()["spans"] == {streams.identity("asked"): 86_400 * 10**9}
    gone_on(second, third, "restart")
    assert third.dump() == second.dump()
    older = streams.correlator(streams.document(daily))
    older.load({key: value for key, value in third.dump().items() if key != "spans"})
    assert len(streams.run(older, [same(1, start=100)])) == 1


def learning(field: str = "host", days: int = 1) -> Correlator:
    """A correlator with one baseline that learns for a day."""
    takes = {"type": "first_seen", "rules": ["one"], "entity": "user", "field": field, "warm_up_days": days}
    document = {"title": "t", "id": streams.identity("first"), "level": "high", "baseline": takes}
    [made], _ = baselines.of([Other(Path("own.yml"), document)], {"one": streams.identity("one")})
    return Correlator([], {}, [Apart(made)], FixedClock(streams.START + timedelta(days=99)))


def seen(day: int, host: str) -> Event:
    """One event of a user at a host."""
    return Event(day * 86_400, f"{day}-{host}", "one", {"user": "a", "host": host})


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "not saved"])
@pytest.mark.parametrize("restarted", [True, False], ids=["restart", "reload"])
def test_what_a_baseline_learnt_outlives_a_file_that_cannot_be_read(saved: bool, restarted: bool) -> None:
    """Days of learning are there when the baseline's rule is back, also where the process ended in between."""
    one, without, again = learning(), streams.correlator(streams.document(FIVE)), learning()
    streams.run(one, [[seen(0, "x")]])
    parts = json.loads(json.dumps(one.changes())) if saved else {}
    without.take_over(one)
    streams.run(without, [[seen(5, "x")]])
    parts |= json.loads(json.dumps(without.changes()))
    if restarted:
        for part in parts.values():
            again.load(part)
    else:
        again.take_over(without)
    assert len(streams.run(again, [[seen(9, "y")]])) == 1


@pytest.mark.parametrize("over", ["reload", "restart", "absence"])
def test_what_was_learnt_of_something_else_says_nothing(over: str) -> None:
    """A baseline that asks for another field begins anew, and that is counted; another limit changes nothing of what it knows."""
    for again, counted in ((learning("process"), 1), (learning(days=2), 0)):
        one = learning()
        streams.run(one, [[seen(0, "x"), seen(5, "x")]])
        if over == "absence":
            away = streams.correlator(streams.document(FIVE))
            away.take_over(one)
            one = away
        if over == "restart":
            again.load(json.loads(json.dumps(one.dump())))
        else:
            again.take_over(one)
        assert sum(line.reason == "baseline_options" for line in again.ledger.counts) == counted
        new = Event(9 * 86_400, "new", "one", {"user": "a", "host": "x", "process": "y"})
        assert streams.run(again, [[new]]) == {}
        other = Event(10 * 86_400, "other", "one", {"user": "a", "host": "z", "process": "y"})
        assert len(streams.run(again, [[other]])) == 1 - counted


def test_a_list_as_long_as_a_megabyte_is_bounded() -> None:
    """An event in ten thousand groups is in the first thousand, which is counted, and counts so many values."""
    many = Event(0, "many", "one", {"user": [str(n) for n in range(10_000)], "host": ["x"] * 10_000})
    one = streams.correlator(streams.document(Asked("event_count", ("one",), ("user",), 600)))
    assert len(streams.run(one, [[many]])) == one.live() == 1_000
    assert [line.reason for line in one.ledger.counts] == ["correlation_groups"]
    distinct = Asked("value_count", ("one",), ("host",), 600, "gte", 1_001, "user")
    assert streams.run(streams.correlator(streams.document(distinct)), [[many]]) == {}


def test_what_several_correlations_take_is_reckoned_once() -> None:
    """Two correlations that count the same signals have them together: reckoned twice, a million groups of one did not fit, and
    groups were given up that there was room for."""
    by_user, by_host = (
        Asked("event_count", ("one",), (field,), 600, "gte", 99) for field in ("user", "host")
    )
    alone = streams.correlator(streams.document(by_user))
    both = streams.correlator(streams.document(by_user), streams.document(by_host, name="other"))
    events = [Event(n, f"e{n}", "one", {"user": "a", "host": "b", "process": "x" * 900}) for n in range(50)]
    for one in (alone, both):
        streams.run(one, [events])
        list(one.groups.sweep(lambda _: -1, one._common()))
    assert alone._common() == frozenset() and both.live() == 2
    assert alone.groups.taken < both.groups.taken < alone.groups.taken + 1_500
    both.groups.memory = alone.groups.taken + 1_500
    assert both.groups.shrink() == []


def test_a_list_pays_for_its_text_once() -> None:
    """One event of a long text in a thousand groups had been reckoned a thousand times, and cost everybody their groups; also
    after a restart the groups have one text together."""
    many = Event(0, "many", "one", {"user": [str(n) for n in range(1_000)], "host": "x" * 100_000})
    one = streams.correlator(streams.document(Asked("event_count", ("one",), ("user",), 600, "gte", 9)))
    streams.run(one, [[many]])
    before = one.groups.taken
    assert one.live() == 1_000 and before < 1_000_000
    again = streams.correlator(streams.document(Asked("event_count", ("one",), ("user",), 600, "gte", 9)))
    again.load(json.loads(json.dumps(one.dump())))
    assert again.groups.taken == before
    assert len({id(held.raw) for own in again.groups.by_rule.values() for held in own.values()}) == 1
    list(again.groups.sweep(lambda _: -1))
    assert again.groups.taken == before


def test_a_baseline_that_never_comes_back_is_forgotten() -> None:
    """Its knowledge is kept for weeks of event time, not for ever."""
    one, without = learning(), streams.correlator(streams.document(FIVE), now=10**8)
    streams.run(one, [[seen(0, "x")]])
    without.take_over(one)
    assert without.dump()["baselines"]
    streams.run(without, [[seen(70, "x")]])
    last = streams.correlator(streams.document(FIVE))
    last.take_over(without)
    assert last.dump()["baselines"] == {}


def test_parts_of_the_state_are_the_whole_of_it() -> None:
    """What `changes` gives bit by bit, newest of each name, loads to the state itself; a quiet correlator has none."""
    one, parts = streams.correlator(streams.document(FIVE), lateness=10**5), {}
    for number in range(30):
        streams.run(one, [same(1 + number % 7, user=f"user{number % 11}", start=number * 40)])
        parts |= json.loads(json.dumps(one.changes()))
    assert one.changes() == {} and len(parts) > 5
    again = streams.correlator(streams.document(FIVE))
    for part in parts.values():
        again.load(part)
    assert sorted(again.dump()["groups"], key=str) == json.loads(
        json.dumps(sorted(one.dump()["groups"], key=str))
    )


def test_rules_that_change_take_over_what_is_under_way() -> None:
    """After a reload four failures from before and one after are five; a burst goes on under its id."""
    one = streams.correlator(streams.document(FIVE))
    streams.run(one, [same(4)])
    other = streams.correlator(streams.document(FIVE), streams.document(SPRAY, "spray"))
    other.take_over(one)
    before = streams.run(other, [same(1, start=120)])
    third = streams.correlator(streams.document(FIVE))
    third.take_over(other)
    assert len(before) == 1 and streams.run(third, [same(1, start=150)]).keys() == before.keys()


@pytest.mark.parametrize(
    ("asked", "ja", "en"),
    [
        (SPRAY, "失敗が10分間に4人分(全4件)", "failed: 4 people in 10 minutes (4 events in all)"),
        (
            Asked("event_count", ("one",), ("source.ip",), 90, "gte", 2),
            "失敗が90秒間に2件(全4件)",
            "failed: 2 in 90 seconds (4 events in all)",
        ),
        (
            Asked("value_sum", ("one",), ("source.ip",), 7200, "gte", 10, "source.bytes"),
            "失敗が2時間に合計 12 MB(全4件)",
            "failed: 12 MB altogether in 2 hours (4 events in all)",
        ),
    ],
)
def test_reasons_are_words_with_figures(asked: Asked, ja: str, en: str) -> None:
    """Who reads the alert sees how many of what in how long."""
    document = streams.document(asked)
    ids = {name: streams.identity(name) for name in streams.NAMES}
    written = Correlation(correlations.read(document), Path("test.yml"), document)
    one = streams.correlator(document)
    one.rules, _ = ruling.ready([written], ids, {ids["one"]: ("失敗", "failed")})
    events = [Event(e.time, e.id, e.rule, {**e.fields, "source.bytes": "3000000"}) for e in tried(4)]
    [alert] = streams.run(one, [events]).values()
    assert (alert.reason_ja, alert.reason_en) == (ja, en)


@pytest.mark.parametrize(
    "document",
    [
        streams.document(Asked("event_count", ("one",), ("user",), 60, "gte", 30_000)),
        streams.document(Asked("event_count", ("nobody",), ("user",), 60, "gte", 3)),
        streams.document(Asked("value_percentile", ("one",), ("user",), 60, "gte", 3, "value", 101)),
    ],
    ids=["more than is kept", "no such rule", "no such percentile"],
)
def test_what_cannot_run_is_said(document: dict[str, object]) -> None:
    """A correlation that never could hold, or takes what is not there, is a problem with its file."""
    written = Correlation(correlations.read(document), Path("own.yml"), document)
    made, problems = ruling.ready([written], {"one": streams.identity("one")}, {})
    assert made == [] and isinstance(problems[0], ContentError)
    assert "own.yml" in str(problems[0])


def test_what_two_organisations_saw_is_never_one_group() -> None:
    """Five sign-ins of one name, three in one town and two in the other (or nobody's), are no five; each town's own five
    are an alert of its own, and so is what a correlation makes of correlations."""
    one = streams.correlator(streams.document(SPRAY, "spray"), streams.document(THEN, "then", generate=True))

    def of(whose: str, events: list[Event]) -> list[Event]:
        own = {"hinomi.organization": whose} if whose else {}
        return [Event(e.time, f"{whose}{e.id}", e.rule, {**e.fields, **own}) for e in events]

    first, second = tried(2), tried(3)[2:]
    assert streams.run(one, [of("a", first), of("b", second), of("", second)]) == {}
    alerts = streams.run(one, [of("a", second), of("a", tried(1, start=300, rule="two"))]).values()
    assert {alert.organization for alert in alerts} == {"a"} and len(alerts) == 2
    assert all(alert.fields == {"source.ip": "203.0.113.9", "hinomi.organization": "a"} for alert in alerts)
    both = streams.run(one, [of("b", [*first, *tried(1, start=300, rule="two")])]).values()
    assert {alert.organization for alert in both} == {"b"} and len(both) == 2
    assert {alert.id for alert in alerts}.isdisjoint(alert.id for alert in both)


def test_no_name_forges_the_alert_of_another_organisation() -> None:
    """An account that is called as an organisation and a sign and a name has an alert of its own, not that town's; what
    nobody owns keeps the id that it had before there were organisations."""
    document = {"title": "t", "id": streams.identity("new"), "level": "high"}
    takes = {"type": "first_seen", "rules": ["one"], "entity": "user.name", "field": "source.ip"}
    read = Other(Path("own.yml"), document | {"baseline": {**takes, "warm_up_days": 1}})
    [made], _ = baselines.of([read], {"one": streams.identity("one")})
    one = Correlator([], {}, [Apart(made)], FixedClock(streams.START + timedelta(days=2)))

    def seen(day: int, name: str, whose: str) -> Event:
        own = {"hinomi.organization": whose} if whose else {}
        fields = {"user.name": name, "source.ip": f"192.0.2.{day}", **own}
        return Event(day * 86_400, f"{day}{name}{whose}", "one", fields)

    whose = (("t.yamada", "east"), ("east|t.yamada", ""), ("t.yamada", ""))
    streams.run(one, [[seen(0, *each) for each in whose]])
    alerts = streams.run(one, [[seen(2, *each) for each in whose]])
    assert sorted(alert.organization for alert in alerts.values()) == ["", "", "east"]
    assert digest(streams.identity("new"), "t.yamada|192.0.2.2") in alerts


def test_a_huge_number_takes_nothing_with_it_when_it_leaves_the_window() -> None:
    """9e17, then 55 in small parts behind it: once the huge one has left, the sum is 55, and 56 is not reached."""
    huge = Event(0, "huge", "one", {"user": "a", "value": "900000000000000000"})
    parts = [Event(30 + i, f"part{i}", "one", {"user": "a", "value": "5.5"}) for i in range(10)]
    for bound, bursts in ((55, 2), (56, 1)):
        asked = Asked("value_sum", ("one",), ("user",), 20, "gte", bound, "value")
        assert len(streams.run(streams.correlator(streams.document(asked)), [[huge], parts])) == bursts
    measure = ValueSum("value")
    for one in (made := [Entry.made(0, str(n), "r", "d", {"value": n}) for n in (9e17, 55, 0.1)]):
        measure.enter(one)
    measure.leave(made[0])
    assert measure.value() == 55.1


@given(
    st.lists(st.floats(-1e17, 1e17) | st.sampled_from([5e-324, 0.1, 1e-9, 3.0]), min_size=1, max_size=30),
    st.data(),
)
def test_sums_are_exact(numbers: list[float], data: st.DataObject) -> None:
    """Whatever came and went, the sum and the mean are those of what is there, rounded once."""
    own, average = ValueSum("value"), ValueAverage("value")
    made = [Entry.made(0, str(n), "r", "d", {"value": n}) for n in numbers]
    for measure in (own, average):
        for one in made:
            measure.enter(one)
    gone = data.draw(st.integers(0, len(made) - 1))
    for one in made[:gone]:
        own.leave(one)
        average.leave(one)
    whole = sum(map(Fraction, numbers[gone:]))
    assert own.value() == float(whole) and average.value() == float(whole / (len(numbers) - gone))


@pytest.mark.parametrize(("n", "forgotten"), [(1, False), (8, False), (8, True)])
def test_memory_is_reckoned_with_what_was_told(n: int, forgotten: bool) -> None:
    """Groups that have an alert take what is reckoned, or less: their alert had not been reckoned at all."""
    groups, rule = Groups(), "x" * 36
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for i in range(1_500):
        key = (f"198.51.{i}.9",)
        group = groups.of(rule, key)
        fields = {
            "user.name": f"u{i}",
            "source.ip": key[0],
            "source.zone": "external",
            "event.action": "fail",
        }
        came = [
            Entry.made(k, f"lane-0-{i:08x}-{k}", rule, "d", fields | {"host.name": f"pc{k}"})
            for k in range(n)
        ]
        for entry in came:
            group.add(entry)
        group.told.append(Burst(f"{i:032x}", 0, n, f"2026-11-20T00:00:00.{i:06}+00:00", 9))
        group.told[0].take(came)
        groups.keep(rule, key, group, sum(map(size, came)))
        if forgotten:
            group.entries.clear()
    del came
    _parsed.cache_clear()
    took = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    list(groups.sweep(lambda _: -1))
    assert took * 0.85 < groups.taken < took * 2.2


def test_some_of_several_rules() -> None:
    """Sigma's count of a temporal correlation: two of three rules are enough, and the words say how many came."""
    asked = Asked("temporal", ("one", "two", "three"), ("user",), 600, "gte", some=2)
    one = streams.correlator(streams.document(asked))
    assert streams.run(one, [same(3, rule="one")]) == {}
    [alert] = streams.run(one, [same(1, start=90, rule="three")]).values()
    assert alert.event_count == 4
    two_of = Figure("temporal", 600 * 10**9, (), (("甲", "A"), ("乙", "B"), ("丙", "C")), some=True)
    assert two_of.words(4, 2) == (
        "甲・乙・丙のうち2種類が10分間以内に起きた(4件)",
        "2 of A, B, C within 10 minutes (4 events)",
    )


def test_a_range_of_counts() -> None:
    """`gt: 2, lte: 4`: the fifth event ends what held, as the specification's "101 to 200" would."""
    document = streams.document(FIVE, condition={"gt": 2, "lte": 4})
    few = streams.run(streams.correlator(document), [same(4)])
    many = streams.run(streams.correlator(document), [same(2), same(9, start=2 * 30)])
    assert [alert.event_count for alert in few.values()] == [4]
    assert [alert.event_count for alert in many.values()] == [4]


@pytest.mark.parametrize("condition", [{"gt": 1, "lte": "many"}, {"gte": 1, "lt": True}])
def test_a_range_whose_second_bound_is_no_number(tmp_path: Path, condition: dict[str, object]) -> None:
    """It is a problem of the file, as the first bound would be."""
    document = streams.document(FIVE, condition=condition)
    (tmp_path / "c.yml").write_text(json.dumps(document), encoding="utf-8")
    [problem] = load([tmp_path]).problems
    assert "is not a number" in problem.reason.en


SOME_OF_TWO = Asked("temporal", ("one", "two"), ("user",), 600, "gte", some=2)


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (SOME_OF_TWO, {"gte": 3}),
        (SOME_OF_TWO, {"gt": 2}),
        (SOME_OF_TWO, {"eq": 0}),
        (SOME_OF_TWO, {"gt": 1, "lt": 2}),
        (FIVE, {"gt": 2, "lt": 3}),
        (FIVE, {"gte": 5, "lte": 4}),
    ],
)
def test_bounds_that_no_figure_keeps_to_are_refused(asked: Asked, condition: dict[str, int]) -> None:
    """A correlation that could never hold is told, not taken in silence."""
    document = streams.document(asked, condition=condition)
    written = Correlation(correlations.read(document), Path("own.yml"), document)
    made, problems = ruling.ready([written], {name: name for name in streams.NAMES}, {})
    assert not made and "it would never hold" in problems[0].en


@pytest.mark.parametrize("condition", [{"gt": 1}, {"gte": 1, "lte": 2}, {"eq": 2}])
def test_bounds_that_some_figure_keeps_to_are_taken(condition: dict[str, int]) -> None:
    """Of two rules one or both can come."""
    document = streams.document(SOME_OF_TWO, condition=condition)
    written = Correlation(correlations.read(document), Path("own.yml"), document)
    assert ruling.ready([written], {name: name for name in streams.NAMES}, {})[1] == []


def test_some_of_an_order_is_refused() -> None:
    """Sigma does not say which rules of an order may be left out: it is told, not taken for all of them."""
    document = streams.document(THEN, condition={"gte": 1})
    written = Correlation(correlations.read(document), Path("own.yml"), document)
    _, [problem] = ruling.ready([written], {name: name for name in ("spray", "two")}, {})
    assert "all its 2 rules come in order" in problem.en
