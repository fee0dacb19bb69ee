"""Searches in the embedded store: what is found, how many there are, and the pages, against plain Python."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.store import asked
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded import searching as module
from hinomi.store.embedded.manifest import nanoseconds
from hinomi.store.embedded.plan import Plan
from hinomi.store.embedded.searching import Searching
from hinomi.store.embedded.sql import _fixed

START = datetime(2026, 11, 20, tzinfo=UTC)
LINES = [
    f'srcip=10.30.9.{n % 7} SessionID={4_000 + n % 300} user="Ｙamada{n % 3}" メモ=残業 action="CLOSE"'
    for n in range(1_200)
]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParquetEvents]:
    held = ParquetEvents(tmp_path_factory.mktemp("events"))
    for part in range(3):  # the times of the files overlap
        own = range(part, len(LINES), 3)
        frame = pl.DataFrame(
            {
                "@timestamp": pl.Series([START + timedelta(seconds=n // 2) for n in own]).cast(ecs.TIME),
                "event.id": [f"e{n:04}" for n in own],
                "event.original": [LINES[n] for n in own],
                "user.id": [f"u{n % 5}" for n in own],
                "host.name": ["rare" if n % 9 == 0 and part < 2 else None for n in own],
            }
        )
        held.append([Batch.of("fortinet.fortigate", frame, ingested=START)])
    yield held
    held.close()


@pytest.mark.parametrize(
    "text",
    [
        "sessionid=4242",
        "SESSIONID=42",
        "10.30.9.3 ",
        '=4299 user="',
        "close",
        "残業",
        "ｙAMADA2",
        "nothing",
        "9",
    ],
)
@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_and_totals_are_those_of_plain_python(
    events: ParquetEvents, text: str, *, oldest_first: bool
) -> None:
    """Rare, frequent and absent texts, letters in any case, over several pages: each event once, in order, counted."""
    wanted = [(n // 2, f"e{n:04}") for n, line in enumerate(LINES) if text.lower() in line.lower()]
    wanted.sort(reverse=not oldest_first)
    query = '"' + text.replace('"', '\\"') + '"'
    got: list[dict[str, Any]] = []
    after = None
    while True:
        page = events.search(query, limit=700, after=after, oldest_first=oldest_first)
        assert page.total == len(wanted)
        got += page.rows
        after = page.after
        if after is None:
            break
    assert [row["event.id"] for row in got] == [identity for _, identity in wanted]


@pytest.mark.parametrize(
    "query",
    [
        "user.id: u3",
        "user.id: (u3 or U0)",
        "not user.id: u3",
        "host.name: *",
        "host.name: rare and not user.id: u0",
    ],
)
@pytest.mark.parametrize("limit", [1, 7, 40])
def test_the_newest_of_many_events_are_those_of_one_scan(
    events: ParquetEvents, query: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among more than a million events the files are counted first and only the newest read; times of files overlap, and
    some hold nothing that matches. Here every store is large."""
    whole = events.search(query, limit=limit)
    by_file: list[str] = []
    real = Searching._counted_by_file
    monkeypatch.setattr(module, "_MANY_ROWS", 0)
    monkeypatch.setattr(Searching, "_counted_by_file", lambda *a: by_file.append("asked") or real(*a))
    monkeypatch.setattr(
        Searching, "_probe", lambda self, plan, *_: Plan(plan.source, "false", plan.values[:1])
    )
    assert events.search(query, limit=limit) == whole
    assert by_file and whole.total > limit


def test_a_page_holds_the_very_rows_that_were_found(tmp_path: Path) -> None:
    """One id three times at the same moment, as senders may choose it, twice in one file: a page of one holds one, a page of
    all holds all three, and neither holds a row more."""
    held = ParquetEvents(tmp_path)
    for parts in ((0, 1), (2,)):
        own = [(part, n) for part in parts for n in range(5)]
        frame = pl.DataFrame(
            {
                "@timestamp": pl.Series([START + timedelta(seconds=n) for _, n in own]).cast(ecs.TIME),
                "event.id": ["often" if n == 3 else f"p{part}-{n}" for part, n in own],
                "event.original": [f"part {part} row {n}" for part, n in own],
            }
        )
        held.append([Batch.of("fortinet.fortigate", frame, ingested=START)])
    for query in ('"row 3"', "event.id: often"):
        assert [row["event.id"] for row in held.search(query, limit=1).rows] == ["often"]
        lines = {row["event.original"] for row in held.search(query).rows}
        assert lines == {"part 0 row 3", "part 1 row 3", "part 2 row 3"}
    assert len(held.search('"part 1"').rows) == 5
    held.close()


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("query", ["", '"row"'])
def test_one_id_of_one_moment_may_stand_on_two_pages(
    tmp_path: Path, query: str, size: int, *, oldest_first: bool
) -> None:
    """Wherever a page ends, the next goes on behind the very row: an export and a person who turns pages get each once, and
    as many as were counted. Where the last row is gone meanwhile, none of the others is passed over for it."""
    held = ParquetEvents(tmp_path)
    for part, rows in enumerate((10, 5)):
        frame = pl.DataFrame(
            {
                "@timestamp": pl.Series([START + timedelta(seconds=n % 5) for n in range(rows)]).cast(
                    ecs.TIME
                ),
                "event.id": ["often" if n % 5 == 3 else f"p{part}-{n}" for n in range(rows)],
                "event.original": [f"part {part} row {n}" for n in range(rows)],
            }
        )
        held.append([Batch.of("fortinet.fortigate", frame, ingested=START)])
    assert held.count(query) == 15
    exported = [
        row["event.original"]
        for page in held.pages(query, size=size, oldest_first=oldest_first)
        for row in page
    ]
    assert len(exported) == len(set(exported)) == 15
    turned, after = list[str](), None
    while True:
        page = held.search(query, limit=size, after=after, oldest_first=oldest_first)
        turned += [row["event.original"] for row in page.rows]
        if not (after := page.after):
            break
    assert turned == exported
    gone = asked.token(nanoseconds(START + timedelta(seconds=3)) + 1, "gone", 3)
    behind = held.search(query, limit=15, after=gone, oldest_first=oldest_first).rows
    assert len(behind) == (3 if oldest_first else 12)
    held.close()


@given(st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_the_part_that_is_looked_for_as_it_stands_has_no_other_form(text: str) -> None:
    """It is a part of the text, and making letters small or great changes nothing in it."""
    fixed = _fixed(text)
    assert fixed in text and fixed.isascii() and fixed.lower() == fixed.upper() == fixed
