"""What any Events implementation must do."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import product
from pathlib import Path
from random import Random

import polars as pl
import pytest

from collectors.organizations import stamped
from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import JST
from hinomi.errors import QueryError, StoreError
from hinomi.store import Checkpoint, Counted, Events, Span, separately
from hinomi.store.apart import EventsApart
from hinomi.store.unheld import unheld
from tests.contract.stores import EVENTS, NOW, each

START = datetime(2026, 11, 20, 3, tzinfo=UTC)


@pytest.fixture(params=each())
def make(request: pytest.FixtureRequest) -> Callable[[Path], Events]:
    return EVENTS[request.param]


@pytest.fixture
def events(make: Callable[[Path], Events], tmp_path: Path) -> Iterator[Events]:
    store = make(tmp_path)
    yield store
    store.close()


def batch(*, n: int = 10, dataset: str = "fortinet.fortigate", first: int = 0, day: int = 0) -> Batch:
    """n events a minute apart: ids from `first`, users in turn, ports rising."""
    rows = range(first, first + n)
    times = [START + timedelta(minutes=i, days=day) for i in rows]
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series(times).cast(ecs.TIME),
            "event.id": [f"{dataset}-{i:04d}" for i in rows],
            "event.original": [f'line {i} user="User{i % 3}" 100%_done' for i in rows],
            "event.category": [["network", "session"] if i % 2 else ["network"] for i in rows],
            "user.name": [f"User{i % 3}" for i in rows],
            "source.ip": [f"10.30.{i % 4}.{i % 250}" for i in rows],
            "destination.port": [440 + i for i in rows],
            "fortinet.fortigate.policyid": [None if i % 5 else str(i) for i in rows],
        }
    )
    return Batch.of(dataset, frame, origin="fw", ingested=NOW)


def test_append_then_count_search_get(events: Events) -> None:
    """What was appended is counted, found newest first, and fetched by id with its types."""
    events.append([batch()])
    assert events.count() == 10
    page = events.search(limit=3)
    assert [row["event.id"][-4:] for row in page.rows] == ["0009", "0008", "0007"]
    assert page.total == 10
    [row] = events.get(["fortinet.fortigate-0004", "unknown"])
    assert row["@timestamp"] == START + timedelta(minutes=4)
    assert row["destination.port"] == 444
    assert row["event.category"] == ["network"]
    assert "fortinet.fortigate.policyid" not in row


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 10),
        ("user.name: user1", 3),
        ("user.name: USER*", 10),
        ("user.name: (User0 or User1)", 7),
        ("not user.name: User0", 6),
        ("not unknown.field: x", 10),
        ("unknown.field: x", 0),
        ("destination.port >= 445", 5),
        ("destination.port: 445", 1),
        ("destination.port > 441 and destination.port < 444", 2),
        ("event.category: session", 5),
        ("event.category: SESS*", 5),
        ("source.ip: 10.30.1.0/24", 3),
        ("source.ip: 10.0.0.0/8", 10),
        ("fortinet.fortigate.policyid: *", 2),
        ("not fortinet.fortigate.policyid: *", 8),
        ('"user=\\"User2"', 3),
        ('"100%_done"', 10),
        ('"100__done"', 0),
        ("line", 10),
        ("user.name: User1 or (user.name: User2 and destination.port: 442)", 4),
        ('@timestamp >= "2026-11-20T12:05:00+09:00"', 5),
        ("@timestamp < 2026-11-20T12:05", 5),
        ("event.dataset: fortinet.fortigate", 10),
        ('@timestamp: "2026-11-20T12:05:00+09:00"', 1),
        ("@timestamp: 1969-12-31", 0),
        ("@timestamp > 1969-12-31", 10),
        ("@timestamp >= 0001-01-01", 10),
        ("@timestamp < 1969-12-31", 0),
        ("@timestamp > 9999-12-31", 0),
        ('@timestamp < "9999-12-31T23:59:59-14:00"', 10),
        ("destination.port > 1e23", 0),
        ("destination.port < 1e23", 10),
        ("destination.port >= -1e23", 10),
        ("destination.port: 1e23", 0),
        ("destination.port: inf", 0),
        ("destination.port: nan", 0),
        ("destination.port: 44*", 10),
        ("destination.port: 444*", 1),
        ("destination.port: 0*", 0),
        ("destination.port: -4*", 0),
        ("destination.port: 9*", 0),
        ("event.severity: 4*", 0),
        ("@timestamp: 2026*", 10),
        ("@timestamp: 2026-11*", 10),
        ("@timestamp: 2026-12*", 0),
        ("@timestamp: 2026-11-20*", 10),
        ("@timestamp: 2026-11-20T12*", 10),
        ("@timestamp: 2026-11-20T03*", 0),
        ("@timestamp: 2026-11-20T12:05*", 1),
        ("@timestamp: 2026-11-20T12:05:00*", 1),
        ("@timestamp: 2026-11-20T12:05:01*", 0),
        ("@timestamp: 1969*", 0),
        ("@timestamp: 9999*", 0),
        ("_index: *", 0),
        ("not _index: *", 10),
        ("_index: logs*", 0),
        ("_id: fortinet*", 0),
        ("_source: x", 0),
        ("_tier: data*", 0),
        ("_seq_no > 0", 0),
        ("_ignored: 10.0.0.0/8", 0),
        ("_doc_count: 1", 0),
        ("source.ip.keyword: 10*", 0),
    ],
)
def test_query_language(events: Events, query: str, expected: int) -> None:
    """Each form of the search language selects what its description says."""
    events.append([batch()])
    assert events.count(query) == expected


def test_numbers_by_their_first_digits(events: Events) -> None:
    """`4*` finds what a reader of the digits would find, up to the largest number that there is, and of either sign."""
    numbers = [0, 4, -4, 40, 41, 5, 49, -44, 4_000, 9, 9 * 10**18, 2**63 - 1, -(2**63 - 1), -(2**63)]
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([START] * len(numbers)).cast(ecs.TIME),
            "event.id": [f"n{i}" for i in range(len(numbers))],
            "event.sequence": numbers,
        }
    )
    events.append([Batch.of("acme.numbers", frame, ingested=NOW)])
    for head in ("0", "4", "40", "-4", "9", "92", "-9", "9223372036854775807", "-922337203685477580", "5"):
        found = events.search(f"event.sequence: {head}*").rows
        assert {row["event.sequence"] for row in found} == {n for n in numbers if str(n).startswith(head)}, (
            head
        )


def test_query_errors_name_the_place(events: Events) -> None:
    """A query that cannot be read, or compares a number with a word, is refused in words."""
    events.append([batch()])
    for query in [
        "(a: b",
        "a: b)",
        'a: "x',
        "destination.port > many",
        "destination.port > nan",
        "destination.port < inf",
        "user.name > 1e400",
        "@timestamp > soon",
        "@timestamp: soon",
        "destination.port: *44",
        "destination.port: 4*4",
        "destination.port: 4a*",
        "event.severity: x*",
        "@timestamp: 20*",
        "@timestamp: *03",
        "@timestamp: 2026-13*",
        "@timestamp: 0000*",
        "event.risk_score: 5*",
        "tls.resumed: t*",
        "file.mtime > soon",
        "unknown.field > soon",
        "_index > soon",
        "user.name > 5",
        "source.ip > 5",
        "tls.resumed > 0",
        "destination.port: 10.0.0.0/8",
        "@timestamp: 2001:db8::/32",
        "vendor.peer: 2001:db8::/32",
        "user.name: \ud800",
        "(not (user.name: a and " * 13 + "user.name: b" + "))" * 13,
        "user.name: " + "(" * 3_000 + "a" + ")" * 3_000,
        "(" * 3_000 + "user.name: a" + ")" * 3_000,
        "not " * 1_500 + "user.name: a",
        "a:",
        ":",
        "not",
        "destination.port: [1 TO 100]",
        "destination.port:{1 TO *}",
    ]:
        with pytest.raises(QueryError):
            events.count(query)
    assert not events.count('user.name: "[1 TO 100]" or user.name: [1]')


def test_fields_that_no_event_has_are_told_from_those_that_have_no_such_value(events: Events) -> None:
    """Whoever writes a product's own name hears of the field that is meant; a field that is held is never named."""
    events.append([batch()])
    asked = "src_ip: 10.1.1.1 and not (UserName: a or user.name: nobody) and zzz > 4"
    found = {one.field: one.near for one in unheld(events, asked)}
    assert found == {"UserName": ("user.name",), "src_ip": ("source.ip",), "zzz": ()}
    assert unheld(events, '"words alone"') == unheld(events, "source.ip: *") == []
    [hostile] = unheld(events, "x\u202ey: 1")
    assert "\u202e" not in hostile.ja + hostile.en


def test_hostile_names_and_values(events: Events) -> None:
    """Quotes, SQL and wildcards in names and values are only text."""
    events.append([batch()])
    for query in [
        '"\'; drop table file; --"',
        'user.name: "\') or 1=1 --"',
        "user.name: %",
        "user.name: User_",
    ]:
        assert events.count(query) == 0
    assert events.top('user.name" from x --') == []


def test_paging_visits_each_event_once(events: Events) -> None:
    """Pages by token give every event once, in order, in both directions."""
    events.append([batch(n=25), batch(n=5, dataset="squid.access")])
    for oldest_first in (False, True):
        seen, token = [], None
        while True:
            page = events.search(limit=7, after=token, oldest_first=oldest_first)
            seen += [row["event.id"] for row in page.rows]
            token = page.after
            if token is None:
                break
        assert len(seen) == len(set(seen)) == 30


def test_pages_over_deliveries_that_overlap(events: Events) -> None:
    """Deliveries out of order, of several days and many at the same moment: pages of any size, in both directions, within a
    span and by a query, are the sorted whole cut in pieces, each with the whole number."""
    shuffled, times = Random(7), {}
    for number in range(12):
        made = batch(n=20, first=20 * number)
        moments = [START + timedelta(minutes=5 * shuffled.randrange(900)) for _ in range(20)]
        frame = made.frame.with_columns(pl.Series("@timestamp", moments).cast(ecs.TIME))
        events.append([Batch.of("fortinet.fortigate", frame, origin="fw", ingested=NOW)])
        times |= dict(zip(frame["event.id"], moments, strict=True))
    within = Span(START + timedelta(days=1), START + timedelta(days=2, hours=3))
    for span, query, limit, oldest in product(
        (None, within), ("", "user.name: User1"), (3, 50), (False, True)
    ):
        wanted = sorted(
            ((at, one) for one, at in times.items() if span is None or within.start <= at < within.end),  # type: ignore[operator]
            reverse=not oldest,
        )
        ids = [one for _, one in wanted if not query or int(one[-4:]) % 3 == 1]
        seen, token = [], None
        while token is not None or not seen:
            page = events.search(query, span=span, limit=limit, after=token, oldest_first=oldest)
            assert page.total == len(ids)
            seen += [row["event.id"] for row in page.rows]
            token = page.after
        assert seen == ids


@pytest.mark.parametrize(
    "given", ["", "x", "|e1", "--5|e1", "²|e1", "1 2|e1", f"{'9' * 19}|e1", f"{'9' * 5_000}|e1"]
)
def test_a_token_that_is_none_is_refused_in_words(events: Events, given: str) -> None:
    """Whatever stands where a page's token belongs: a sentence."""
    events.append([batch()])
    with pytest.raises(StoreError, match="page token"):
        events.search(after=given)


def test_pages_hold_what_matched_in_the_moment_of_the_call(events: Events) -> None:
    """Pages of a moment give each event once, in order, whatever is added, merged or dropped while they are read."""
    events.append([batch(n=25), batch(n=5, dataset="squid.access")])
    for oldest_first in (False, True):
        pages = events.pages(size=7, oldest_first=oldest_first)
        seen = [row["@timestamp"] for row in next(pages)]
        events.append([batch(n=10, first=500 + 20 * oldest_first)])
        events.compact()
        sizes = [len(seen)]
        for page in pages:
            sizes.append(len(page))
            seen += [row["@timestamp"] for row in page]
        assert sizes == [7] * 4 + [2] or (oldest_first and sizes == [7] * 5 + [5])
        assert seen == sorted(seen, reverse=not oldest_first)
    assert [len(page) for page in events.pages("user.name: User1 and destination.port < 450", size=100)] == [
        5
    ]
    assert list(events.pages("user.name: nobody")) == []


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("2001:db8::/32", {"a", "b", "c"}),
        ("2001:db8:0:1::/64", {"b"}),
        ("2001:db8::5/128", {"a"}),
        ("fe80::/10", {"d"}),
        ("::/8", {"e"}),
        ("10.0.0.0/8", {"v4"}),
        ("2001:db9::/32", set()),
    ],
)
def test_address_ranges_of_both_families(events: Events, network: str, expected: set[str]) -> None:
    """A CIDR range finds every spelling of its addresses and nothing else, also what is no address."""
    addresses = {
        "a": "2001:DB8::5",
        "b": "2001:0db8:0000:0001:0000:0000:0000:0001",
        "c": "2001:db8:ff00:42:8329::",
        "d": "fe80::1",
        "e": "::1",
        "v4": "10.1.2.3",
        "none": "unknown",
        "null": None,
    }
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([START] * len(addresses)).cast(ecs.TIME),
            "event.id": list(addresses),
            "source.ip": list(addresses.values()),
        }
    )
    events.append([Batch.of("linux.auth", frame, ingested=NOW)])
    found = events.search(f"source.ip: {network}").rows
    assert {row["event.id"] for row in found} == expected


def test_span_and_datasets(events: Events) -> None:
    """A span includes its start and excludes its end; datasets restrict."""
    events.append([batch(), batch(dataset="squid.access")])
    span = Span(START + timedelta(minutes=2), START + timedelta(minutes=4))
    assert events.count(span=span) == 4
    assert events.count(span=span, datasets=["squid.access"]) == 2


@pytest.mark.parametrize("zone", [JST, UTC, timezone(timedelta(hours=-14))])
def test_a_span_of_all_times_there_are(events: Events, zone: tzinfo) -> None:
    """Its ends lie before and behind all that a store can count in nanoseconds: it holds everything."""
    events.append([batch()])
    first, last = datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)
    for span in (Span(first, last), Span(first), Span(None, last)):
        assert events.count(span=span) == events.search(span=span).total == 10
        assert sum(frame.height for frame in events.scan("fortinet.fortigate", span=span)) == 10
    assert events.count(span=Span(last)) == events.count(span=Span(None, first)) == 0


def test_a_vendors_texts_compared_with_a_number(events: Events) -> None:
    """Those that are numbers are compared; what a sender calls endless, or no number, is none."""
    events.append([tagged(0, "9", "1e5", ["8", "x"], "-3", "nan", "inf", "-Infinity", "1e999", "")])
    assert events.count("vendor.tags > 5") == 3
    assert events.count("vendor.tags < 5") == 1


def test_histogram_has_empty_bars(events: Events) -> None:
    """Every bar of the span is there, split by a field where asked; the sum is the count."""
    events.append([batch()])
    span = Span(START - timedelta(minutes=5), START + timedelta(minutes=15))
    bars = events.histogram(span=span, interval=timedelta(minutes=5), by="user.name")
    assert [bar.count for bar in bars] == [0, 5, 5, 0]
    assert bars[1].by == {"User0": 2, "User1": 2, "User2": 1}
    assert bars[0].start == span.start


def test_a_histogram_by_a_field_of_several_values(events: Events) -> None:
    """Each event counts once under each of its values, of a vendor's field as of ECS's; the bar counts events."""
    whole = batch(n=4)
    tags = pl.Series("vendor.tags", ["a", ecs.BETWEEN.join("ab"), ecs.BETWEEN.join("aca"), None])
    events.append([Batch(whole.dataset, whole.frame.with_columns(tags))])
    span = Span(START, START + timedelta(minutes=5))
    [bar] = events.histogram(span=span, interval=timedelta(minutes=5), by="vendor.tags")
    assert bar.count == 4
    assert bar.by == {"a": 3, "b": 1, "c": 1, "": 1}
    [bar] = events.histogram(span=span, interval=timedelta(minutes=5), by="event.category")
    assert bar.count == 4 and bar.by == {"network": 4, "session": 2}
    assert events.top("vendor.tags") == [("a", 3), ("b", 1), ("c", 1)]


def test_events_without_a_value_have_a_bar(events: Events) -> None:
    """They are counted under '', with those whose value is an empty text, whether the field is known or not."""
    whole = batch(n=4)
    events.append(
        [Batch(whole.dataset, whole.frame.with_columns(pl.Series("vendor.note", ["", "x", "x", None])))]
    )
    events.append([batch(n=1, first=4)])
    span = Span(START, START + timedelta(minutes=10))

    def bars(by: str) -> list[dict[str, int]]:
        found = events.histogram(span=span, interval=timedelta(minutes=5), by=by)
        return [dict(bar.by) for bar in found]

    assert bars("vendor.note") == [{"x": 2, "": 3}, {}]
    assert bars("fortinet.fortigate.policyid") == [{"0": 1, "": 4}, {}]
    for name in ("unknown.field", "_index", "source.ip.keyword"):
        assert bars(name) == [{"": 5}, {}]


def test_top_values(events: Events) -> None:
    """The most frequent values, each element of a list counted once."""
    events.append([batch()])
    assert events.top("user.name") == [("User0", 4), ("User1", 3), ("User2", 3)]
    assert events.top("event.category") == [("network", 10), ("session", 5)]
    assert events.top("destination.port", "user.name: User2", limit=1) == [("442", 1)]
    assert events.top("_index") == events.top("source.ip.keyword") == []


def test_counts_of_many_values_are_whole(events: Events) -> None:
    """On each of two days a thousand values are more frequent than `spread` (which has the second most of both together), on
    the second day than `loud` (which has the most): a cluster tells of a day's index its most frequent values only."""
    for day in range(2):
        users = [f"{day}-{n:04d}" for n in range(1_001)] * 3 + ["spread"] * 2 + ["loud"] * (2 if day else 50)
        frame = pl.DataFrame(
            {
                "@timestamp": pl.Series([START + timedelta(days=day)] * len(users)).cast(ecs.TIME),
                "event.id": [f"{day}-{n}" for n in range(len(users))],
                "user.name": users,
            }
        )
        events.append([Batch.of("acme.many", frame, ingested=NOW)])
    assert events.top("user.name", limit=1) == [("loud", 52)]
    assert events.top("user.name", limit=3) == [("loud", 52), ("spread", 4), ("0-0000", 3)]
    [bar] = events.histogram(
        span=Span(START, START + timedelta(days=4)), interval=timedelta(days=4), by="user.name"
    )
    assert bar.count == 6_062 and len(bar.by) == 2_004 and set(bar.by.values()) == {3, 4, 52}


@pytest.mark.parametrize(
    ("query", "of", "values_in"),
    [
        ("", (), ["fortinet.fortigate", "squid.access"]),
        ("not user.name: User0", (), ["fortinet.fortigate", "squid.access"]),
        ("not user.name: User0", (), ["squid.access"]),
        ("user.name: User1", ("squid.access",), []),
        ("user.name: User1", ("none",), ["none"]),
        ("unknown: x", (), ["squid.access"]),
    ],
)
def test_a_survey_says_what_each_question_says(
    events: Events, query: str, of: tuple[str, ...], values_in: list[str]
) -> None:
    """Page by page, and for fields that all files, some or none have: the same as asked one by one."""
    events.append([batch(n=12), batch(n=9, dataset="squid.access", day=1)])
    other = batch(n=4, dataset="squid.access", first=20, day=1)
    events.append([Batch(other.dataset, other.frame.with_columns(pl.lit("x").alias("url.domain")), "fw")])
    span, after = Span(START + timedelta(minutes=2), START + timedelta(days=2)), None
    for field in ("event.dataset", "destination.port", "url.domain", "event.category", "unknown"):
        counted = Counted(timedelta(hours=6), field, values_in, 4)
        found = events.survey(query, span=span, counted=counted, datasets=of, limit=7, after=after)
        assert found == separately.survey(events, query, of, span, counted, 7, after), field
        after = found.page.after


def test_checkpoint_is_committed_with_the_events(make: Callable[[Path], Events], tmp_path: Path) -> None:
    """A reader's place survives a restart together with what it stored."""
    store = make(tmp_path)
    assert store.checkpoint("worker-0") is None
    store.append([batch()], checkpoint=Checkpoint("worker-0", "7:100"))
    store.append([], checkpoint=Checkpoint("worker-0", "7:200"))
    store.close()
    again = make(tmp_path)
    assert again.checkpoint("worker-0") == "7:200"
    assert again.count() == 10
    again.close()


def test_ids_that_clients_chose_are_stored_once(events: Events) -> None:
    """An event sent again after a lost answer is counted as a duplicate, also within one append."""
    sent, more = batch(n=4), batch(n=2, first=10)
    ids = frozenset([*sent.frame["event.id"].to_list(), *more.frame["event.id"].to_list()])
    assert events.append([sent], client_ids=ids).stored == 4
    again = events.append([sent, more, more], client_ids=ids)
    assert (again.stored, again.duplicates) == (2, 6)
    assert events.count() == 6


def test_since_follows_arrival(events: Events) -> None:
    """A follower sees every event in order of arrival, from where it left off."""
    events.append([batch(n=3)])
    events.append([batch(n=3, first=10, day=-3), batch(n=2, dataset="squid.access")])
    frames = list(events.since("fortinet.fortigate", None))
    assert [len(frame) for _, frame in frames] == [3, 3]
    assert list(events.since("fortinet.fortigate", frames[-1][0])) == []
    events.append([batch(n=1, first=50)])
    [(_, frame)] = events.since("fortinet.fortigate", frames[-1][0])
    assert frame["event.id"].to_list() == ["fortinet.fortigate-0050"]


def test_scan_reads_all_columns_asked_for(events: Events) -> None:
    """A scan gives every event of the span once, with only the columns asked for."""
    events.append([batch(n=30), batch(n=5, first=100, day=1)])
    frames = list(events.scan("fortinet.fortigate", columns=["event.id", "no.such"]))
    ids = pl.concat(frames)["event.id"]
    assert len(ids) == ids.n_unique() == 35
    assert frames[0].columns == ["event.id"]


def test_drop_removes_only_what_is_older(events: Events) -> None:
    """Retention removes whole days before the limit and leaves the rest."""
    events.append([batch(day=-10), batch(first=100), batch(dataset="squid.access", day=-10)])
    assert events.drop("fortinet.fortigate", START - timedelta(days=5)) == 10
    assert events.count(datasets=["fortinet.fortigate"]) == 10
    assert events.count(datasets=["squid.access"]) == 10


def test_each_day_of_a_batch_over_many_counts_as_itself(events: Events) -> None:
    """A month's thin log that comes in one batch is held for thirty days, not for the eight fullest of them and today."""
    month = pl.concat([batch(n=1, day=-day, first=day).frame for day in range(30)])
    events.append([Batch.of("fortinet.fortigate", month, origin="edge", ingested=START)])
    assert [((START - day.day).days, day.events) for day in events.days()] == [
        (n, 1) for n in range(29, -1, -1)
    ]


def test_drop_keeps_days_that_a_hold_touches(events: Events) -> None:
    """Of old days those that touch a span to be kept stay whole, whatever their age; the others go."""
    events.append([batch(day=-10), batch(day=-9, first=20), batch(day=-8, first=40)])
    days = events.days()
    assert [(day.dataset, day.events) for day in days] == [("fortinet.fortigate", 10)] * 3
    assert [(START - day.day).days for day in days] == [10, 9, 8] and all(day.bytes for day in days)
    held = Span(START - timedelta(days=9, hours=1), START - timedelta(days=9, hours=-1))
    assert events.drop("fortinet.fortigate", START - timedelta(days=1), keep=[held]) == 20
    assert events.count() == events.count(span=held) == 10
    assert events.room() > 0


def test_compaction_changes_nothing_that_is_seen(events: Events) -> None:
    """After merging small files the same events are found; a follower misses none of what came later."""
    token = None
    for i in range(12):
        events.append([batch(n=2, first=2 * i)])
    for found, _ in events.since("fortinet.fortigate", None):
        token = found
    before = [row["event.id"] for row in events.search(limit=100).rows]
    events.compact()
    assert [row["event.id"] for row in events.search(limit=100).rows] == before
    events.append([batch(n=1, first=900)])
    later = [frame for _, frame in events.since("fortinet.fortigate", token)]
    assert "fortinet.fortigate-0900" in pl.concat(later, how="diagonal")["event.id"]


def tagged(first: int, *tags: str | list[str] | None) -> Batch:
    """Events with a vendor's field that is text, a list or nothing: as many as there are tags."""
    of = batch(n=len(tags), first=first)
    parts = [
        of.frame[[row]].with_columns(pl.Series("vendor.tags", [value])) for row, value in enumerate(tags)
    ]
    frame = pl.concat([ecs.conform(part) for part in parts], how="diagonal")
    return Batch.of(of.dataset, frame, origin="fw", ingested=NOW)


def test_a_vendors_field_is_one_value_or_several_whatever_stands_beside_it(events: Events) -> None:
    """The same record is shown, found, counted and compared alike, whether others of its batch, or of other batches, have
    one value, several or none under the same name; also once all were merged."""
    events.append([tagged(0, "a")])
    events.append([tagged(1, ["b", "a"], "7", ["8", "b"], ["c"], None, [])])
    for number in range(10):
        events.append([tagged(100 + number, ["b", "c"] if number % 2 else "b")])
    for _ in range(2):
        told = {row["event.id"][-4:]: row.get("vendor.tags") for row in events.search(limit=100).rows}
        assert [told[f"{number:04d}"] for number in range(7)] == [
            "a",
            ["b", "a"],
            "7",
            ["8", "b"],
            "c",
            None,
            None,
        ]
        assert told["0101"] == ["b", "c"] and told["0100"] == "b"
        found = {
            query: events.count(query)
            for query in (
                "vendor.tags: A",
                "vendor.tags: b*",
                "vendor.tags > 6",
                "vendor.tags: *",
                "vendor.tags: ba",
            )
        }
        assert list(found.values()) == [2, 12, 2, 15, 0], found
        assert events.count("not vendor.tags: c") == 17 - 6
        assert events.top("vendor.tags", limit=9) == [("b", 12), ("c", 6), ("a", 2), ("7", 1), ("8", 1)]
        [row] = events.get(["fortinet.fortigate-0003"])
        assert row["vendor.tags"] == ["8", "b"]
        assert events.fields()["vendor.tags"] == "keyword"
        events.compact()


def test_datasets_and_fields(events: Events) -> None:
    """What is held is told by dataset, and which fields there are with their kinds."""
    events.append([batch()])
    [stats] = events.datasets()
    assert (stats.name, stats.events) == ("fortinet.fortigate", 10)
    assert (stats.first, stats.last) == (START, START + timedelta(minutes=9))
    kinds = events.fields()
    assert kinds["destination.port"] == "long"
    assert kinds["event.category"] == "keyword[]"
    assert kinds["@timestamp"] == "date"


def test_clocks_gone_wrong_do_not_scatter_files(events: Events) -> None:
    """Events from a century of days are kept and found."""
    times = [datetime(1971 + i, 1, 1, tzinfo=UTC) for i in range(120)]
    frame = pl.DataFrame(
        {"@timestamp": pl.Series(times).cast(ecs.TIME), "event.id": [str(i) for i in range(120)]}
    )
    events.append([Batch.of("linux.auth", frame, ingested=NOW)])
    assert events.count() == 120
    assert events.count(span=Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))) == 2


def test_what_an_index_cannot_hold_is_there_all_the_same(events: Events) -> None:
    """A time from before 1970 and a text of nine thousand signs: the event has the field, and is before every other."""
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([START] * 3).cast(ecs.TIME),
            "event.id": ["old", "new", "none"],
            "file.mtime": pl.Series([datetime(1958, 6, 10, tzinfo=UTC), START, None]).cast(ecs.TIME),
            "vendor.note": ["x" * 9_000, "x", None],
            "source.ip": ["no address", "10.1.2.3", None],
        }
    )
    events.append([Batch.of("acme.app", frame, ingested=NOW)])
    for name in ("file.mtime", "vendor.note", "source.ip"):
        assert events.count(f"{name}: *") == 2 and events.count(f"not {name}: *") == 1, name
    assert events.count("file.mtime < 2026-01-01") == events.count("file.mtime > 2026-01-01") == 1


@pytest.mark.parametrize("others", [["vendor.a"], ["vendor.a", "vendor.a\u2400b"]])
def test_a_name_with_a_nul_is_one_beside_others(events: Events, others: list[str]) -> None:
    """A sender's JSON can write one: the record is shown whole, and so are those beside it, also once merged."""
    names = ["vendor.a\0b", *others]
    for number in range(10):
        frame = batch(n=1, first=number).frame.with_columns(pl.lit(name).alias(name) for name in names)
        events.append([Batch.of("acme.app", frame, ingested=NOW)])
    for _ in range(2):
        for row in events.search().rows:
            assert sorted(value for name, value in row.items() if name.startswith("vendor.")) == sorted(names)
        events.compact()


_OWN = [
    "filename",
    "_index_of",
    "value",
    "bar",
    "part",
    "file",
    "file_index",
    "told",
    "found",
    "has",
    "n",
    "v",
]


@pytest.mark.parametrize("name", _OWN)
def test_names_that_a_store_has_for_itself(events: Events, name: str) -> None:
    """A sender's field of such a name is one like others: found, counted and drawn by, where some events have it and where none
    has."""
    others = ["File_Row_Number", "__hinomi_file"]
    frame = batch(n=2, first=20).frame.with_columns(pl.lit(one).alias(one) for one in [*_OWN, *others])
    events.append([Batch.of("acme.app", frame, ingested=NOW)])
    events.append([batch(n=3)])
    assert {*_OWN, *others} <= set(map(str, events.search(limit=1).rows[0].values()))
    span, width = Span(START, START + timedelta(hours=1)), timedelta(minutes=30)
    for dataset, n in (("acme.app", 2), ("fortinet.fortigate", 0), ("", 2)):
        of, query = [dataset] if dataset else [], f"{name}: {name}"
        assert events.count(query, datasets=of) == len(events.search(query, datasets=of).rows) == n
        bars = events.histogram(query, span=span, interval=width, datasets=of, by=name)
        assert [(bar.count, bar.by) for bar in bars] == [(n, {name: n} if n else {}), (0, {})]
        assert events.top(name, query, datasets=of) == ([(name, n)] if n else [])
        survey = events.survey(query, span=span, counted=Counted(width, name, ["acme.app"]), datasets=of)
        assert [bar.count for bar in survey.buckets] == [n, 0]
        assert (survey.present, survey.top) == (n, [(name, n)] if n else [])
    assert events.count(f"not {name}: *") == 3


def test_a_vendors_number_beside_a_text_of_its_name(events: Events) -> None:
    """`x.number` is a field of its own: stored in the first event of its dataset already, found as text, and not what `x` is as a
    number."""
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([START] * 3).cast(ecs.TIME),
            "event.id": ["both", "text", "number"],
            "vendor.x": ["7", "8", None],
            "vendor.x.number": ["a1", None, "9"],
        }
    )
    events.append([Batch.of("acme.app", frame, ingested=NOW)])
    assert events.count(datasets=["acme.app"]) == 3
    assert events.count("vendor.x > 6") == 2 and events.count("vendor.x.number > 6") == 1
    assert events.count("vendor.x.number: *") == 2 and events.count("vendor.x.number: A1") == 1
    assert events.top("vendor.x.number") == [("9", 1), ("a1", 1)]


def test_an_empty_store_answers(events: Events) -> None:
    """Nothing stored is no error."""
    assert events.search().rows == []
    assert events.count("a: b") == 0
    assert events.top("user.name") == []
    assert events.get(["x"]) == []
    assert events.datasets() == []
    assert events.compact() == 0
    bars = events.histogram(span=Span(START, START + timedelta(hours=1)), interval=timedelta(minutes=30))
    assert [bar.count for bar in bars] == [0, 0]


def test_the_events_of_some_organisations(events: Events) -> None:
    """A view of one town finds, counts, draws and gives its own alone, whatever is asked; of nobody's and the other's
    nothing, nor a dataset or field that only they have."""
    for whose, first in (("higashi", 0), ("nishi", 100), ("", 200)):
        events.append([stamped(batch(first=first), whose)])
    events.append([stamped(batch(n=2, dataset="squid.access"), "nishi")])
    own = EventsApart(events, ["higashi"])
    everything = "event.id: * or not event.id: *"
    span = Span(START - timedelta(days=1), START + timedelta(days=1))
    assert own.count() == own.count(everything) == own.search(everything).total == 10
    assert {row["hinomi.organization"] for row in own.search(everything, limit=50).rows} == {"higashi"}
    assert sum(len(page) for page in own.pages("not hinomi.organization: higashi or user.name: *")) == 10
    assert sum(bar.count for bar in own.histogram(everything, span=span, interval=timedelta(hours=1))) == 10
    counted = Counted(timedelta(hours=1), "hinomi.organization", ["fortinet.fortigate", "squid.access"])
    survey = own.survey(everything, span=span, counted=counted, limit=50)
    assert {row["hinomi.organization"] for row in survey.page.rows} == {"higashi"}
    assert sum(bar.count for bar in survey.buckets) == survey.present == survey.page.total == 10
    assert survey.top == [("higashi", 10)]
    assert own.top("event.dataset", everything) == [("fortinet.fortigate", 10)]
    ids = [f"fortinet.fortigate-{n:04}" for n in (3, 103, 203)]
    assert [row["event.id"] for row in own.get(ids)] == ids[:1]
    assert sum(frame.height for frame in own.scan("fortinet.fortigate")) == 10
    assert all(
        frame.columns == ["user.name"] for frame in own.scan("fortinet.fortigate", columns=["user.name"])
    )
    [held] = own.datasets()
    last = START + timedelta(minutes=9)
    assert (held.name, held.events, held.first, held.last) == ("fortinet.fortigate", 10, START, last)
    assert own.fields("squid.access") == {} and "user.name" in own.fields()
    assert EventsApart(events, ["higashi", "nishi"]).count() == 22
    assert EventsApart(events, []).count("event.id: *") == 0


def test_clicked_thirty_times(events: Events) -> None:
    """Each click on a value puts what was asked into parentheses and a condition beside it. Alternatives stay so, and whoever
    may see one town sees no other's."""
    for whose, first in (("higashi", 0), ("nishi", 100)):
        events.append([stamped(batch(first=first), whose)])
    query = "user.name: * or hinomi.organization: nishi"
    for _ in range(30):
        query = f'({query}) and event.dataset: "fortinet.fortigate"'
    span = Span(START - timedelta(days=1), START + timedelta(days=1))
    counted = Counted(timedelta(hours=1), "user.name", ["fortinet.fortigate"])
    own = EventsApart(events, ["higashi"])
    found = own.survey(query, span=span, counted=counted, limit=50)
    assert {row["hinomi.organization"] for row in found.page.rows} == {"higashi"}
    assert found.page.total == found.present == own.count(query) == 10 and events.count(query) == 20
    deepest = "(not (user.name: a and " * 11 + "file.mtime: 2026-11*" + "))" * 11
    assert own.count(deepest) == 10
    assert events.count("(not (user.name: a and " * 12 + "file.mtime: 2026-11*" + "))" * 12) == 20


@pytest.mark.parametrize("query", ["a) or (b", "a: x) or (user.name: *", "((a)) or b) and (c", '") or (a'])
def test_no_query_gets_out_of_its_parentheses(events: Events, query: str) -> None:
    """What would end them is none by itself."""
    events.append([stamped(batch(), "nishi")])
    with pytest.raises(QueryError):
        EventsApart(events, ["higashi"]).count(query)


def test_a_field_that_only_events_outside_the_span_have(events: Events) -> None:
    """It is as one that nobody has: nothing is found, counted, drawn or ranked by it; beside others it says what it means.
    So too of a town, of which all are from before events were stamped with whose they are."""
    old, new = (Span(START + timedelta(days=day), START + timedelta(days=day + 1)) for day in (0, 3))
    extra = [pl.lit("x").alias("vendor.z"), pl.concat_list(pl.lit("x")).alias("vendor.tags")]
    events.append([Batch("fortinet.fortigate", stamped(batch(), "higashi").frame.with_columns(extra), "fw")])
    events.append([batch(first=100, day=3)])
    for query in (
        "vendor.z: x",
        "vendor.z: * and vendor.tags: x",
        "vendor.z: (x or y*) or vendor.tags: (x or y)",
    ):
        assert events.count(query, span=old) == 10
        assert events.count(query, span=new) == events.search(query, span=new).total == 0
        assert events.search(query, span=new, oldest_first=True, limit=3).rows == []
        assert list(events.pages(query, span=new)) == [] and events.top("user.name", query, span=new) == []
    assert events.count("not vendor.z: x or vendor.tags: x", span=new) == 10
    assert [len(page) for page in events.pages("not vendor.z: x", span=new, size=4)] == [4, 4, 2]
    page = events.search("user.name: User1 or vendor.z: x", span=new, limit=2)
    assert page.total > 2 and page.after
    assert events.search("user.name: User1 or vendor.z: x", span=new, limit=2, after=page.after).rows
    assert events.top("vendor.z", span=new) == events.top("vendor.tags", span=new) == []
    bars = events.histogram("not vendor.z: x", span=new, interval=timedelta(days=1), by="vendor.z")
    assert [(bar.count, sum(bar.by.values())) for bar in bars if bar.count] == [(10, 10)]
    own = EventsApart(events, ["higashi"])
    assert own.count(span=old) == 10 and own.count("user.name: *", span=new) == own.count(span=new) == 0
    assert own.search(span=new).total == 0 and own.search(span=new).rows == list(own.pages(span=new)) == []
    assert own.top("user.name", span=new) == own.top("hinomi.organization", span=new) == []
    assert not any(bar.count for bar in own.histogram(span=new, interval=timedelta(hours=1), by="user.name"))
    assert own.get(["fortinet.fortigate-0100"], span=new) == []
    assert sum(frame.height for frame in own.scan("fortinet.fortigate", span=new)) == 0


def test_a_field_that_only_older_events_have(events: Events) -> None:
    """The newest events have no such field: what the older ones hold is found all the same, in pages too."""
    old = batch(n=3)
    events.append([Batch(old.dataset, old.frame.with_columns(pl.lit("x").alias("labels.old")))])
    events.append([batch(first=100), batch(n=5, dataset="squid.access", first=200)])
    found = events.search("labels.old: x", limit=2)
    assert (found.total, len(found.rows)) == (3, 2)
    assert len(events.search("labels.old: x", limit=2, after=found.after).rows) == 1
    assert events.search("labels.old: x or user.name: *", limit=4).total == 18
    assert events.top("labels.old", "labels.old: x") == [("x", 3)]
