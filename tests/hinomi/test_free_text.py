"""Searches in the embedded store: what is found, how many there are, and the pages, against plain Python."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.query import Text
from hinomi.store import Counted, Span, asked, separately
from hinomi.store.embedded import ParquetEvents, sieve
from hinomi.store.embedded import searching as module
from hinomi.store.embedded.manifest import nanoseconds
from hinomi.store.embedded.plan import Plan
from hinomi.store.embedded.searching import Searching
from hinomi.store.embedded.sql import Condition

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
        "closed",
        "USER=",
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
    real = Searching._newest
    monkeypatch.setattr(module, "_MANY_ROWS", 0)
    monkeypatch.setattr(Searching, "_newest", lambda *a: by_file.append("asked") or real(*a))
    monkeypatch.setattr(
        Searching, "_probe", lambda self, plan, *_: Plan(plan.source, "false", plan.values[:1])
    )
    assert events.search(query, limit=limit) == whole
    assert by_file and whole.total > limit


@pytest.mark.parametrize("query", ["user.id: u3", "not user.id: u3", "host.name: rare", "close", "nothing"])
@pytest.mark.parametrize("limit", [1, 7, 400])
def test_a_survey_has_the_page_of_a_search(events: ParquetEvents, query: str, limit: int) -> None:
    """From one file, several or all, of the newest twentieth or not: the same page, and behind it the same."""
    span = Span(START + timedelta(seconds=9), START + timedelta(hours=1))
    counted, after = Counted(timedelta(minutes=1), "user.id", ["fortinet.fortigate"], 3), None
    for _ in range(3):
        found = events.survey(query, span=span, counted=counted, limit=limit, after=after)
        assert found == separately.survey(events, query, (), span, counted, limit, after)
        after = found.page.after


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


def test_signs_that_are_looked_for_as_they_stand_have_no_other_form() -> None:
    """Of all signs there are, only ASCII letters become those that `needed` knows, and only they themselves what `fixed` keeps:
    asked of DuckDB, which makes lines small letters."""
    signs = "select chr(n::int) as sign from range(1, 1114112) as all_of_them(n) where n not between 55296 and 57343"
    told = duckdb.sql(f"select sign, lower(sign) from ({signs})").fetchall()
    assert len(told) > 1_000_000
    kept = {sign for sign, _ in told if sieve.fixed(sign)}
    assert {"a", "K", "é", "ア", "残", "7"} & kept == {"ア", "残", "7"}
    for sign, small in told:
        if sign in kept or small in kept:
            assert sign == small, sign
        if small in sieve._LETTERS:
            assert sign.isascii() and sign in sieve._cases(small), sign


@given(st.text(alphabet="abikzABIKZ0=. _éÉſKİ残ア", max_size=12), st.randoms())
@settings(max_examples=300, deadline=None)
def test_a_line_that_holds_a_text_holds_what_is_looked_for_first(text: str, chance: Random) -> None:
    """In whatever cases its letters are written there."""
    assert sieve.fixed(text) in text
    line = "".join(chance.choice([sign.lower(), sign.upper(), sign]) for sign in text)
    if text.lower() in line.lower():
        assert all(any(form in line for form in forms) for forms in sieve.needed(text))


@pytest.mark.parametrize("text", ["powershell", "cmd.exe", "メモ=残業", "残業"])
def test_no_line_is_made_small_letters_that_cannot_hold_the_text(events: ParquetEvents, text: str) -> None:
    """Only lines that hold what is looked for first, as it stands."""
    asked_for = Condition({"event.original": "keyword"})
    where = asked_for.sql(Text(text))
    made = duckdb.connect()
    made.execute(
        "create macro small(t) as (case when t like '%z%' then error('made small') else lower(t) end)"
    )
    where = re.sub(r'lower\("', 'small("', where)
    found = made.execute(
        f'select count(*) from (select unnest(?) as "event.original") where {where}',
        [["zzz", "z Z 9", f"a {text.upper()} b"], *asked_for.values],
    ).fetchall()
    assert found == [(1,)]
