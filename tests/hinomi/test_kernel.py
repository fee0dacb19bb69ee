"""ECS typing, batches, ids, hostile text, the ledger."""

import os
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi import ecs
from hinomi import text as module
from hinomi.batch import REQUIRED, Batch
from hinomi.identity import digest, position_ids
from hinomi.ledger import Ledger, Line
from hinomi.text import inert, spreadsheet_cell

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_table_knows_types() -> None:
    """Kinds come from the ECS list: addresses are text, ports numbers, categories lists, dates times."""
    assert ecs.column_type("source.ip") == pl.String
    assert ecs.column_type("source.port") == pl.Int64
    assert ecs.column_type("event.category") == pl.List(pl.String)
    assert ecs.column_type("@timestamp") == pl.Datetime("ns", "UTC")
    assert ecs.column_type("fortinet.fortigate.policyid") is None


def test_conform_casts_and_keeps_rows() -> None:
    """Text becomes numbers, times and booleans; scalars become lists; what does not fit becomes null."""
    frame = pl.DataFrame(
        {
            "source.port": ["443", "many"],
            "event.category": ["network", None],
            "related.ip": [["10.0.0.1"], None],
            "vendor.n": [1, 2],
            "vendor.o": [{"a": 1}, {"a": None}],
            "@timestamp": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
            "event.start": ["2026-01-01T00:00:00Z", "yesterday"],
            "x509.subject.common_name": ["a", "b"],
            "process.pid": [1.0, 2.0],
            "user.name": [["first", "second"], None],
        }
    )
    out = ecs.conform(frame)
    assert out["source.port"].to_list() == [443, None]
    assert out["event.category"].to_list() == [["network"], None]
    assert out["vendor.n"].to_list() == ["1", "2"]
    assert out["vendor.o"][0] == '{"a":1}'
    assert out.schema["@timestamp"] == ecs.TIME
    assert out["event.start"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert out["user.name"].to_list() == ["first", None]
    assert out["process.pid"].to_list() == [1, 2]


def test_batch_has_what_every_batch_has() -> None:
    """Missing columns are filled; a missing time becomes the time of arrival."""
    frame = pl.DataFrame({"event.id": ["1", "2"], "@timestamp": [datetime(2026, 1, 1, tzinfo=UTC), None]})
    batch = Batch.of("squid.access", frame, ingested=NOW)
    assert set(REQUIRED) <= set(batch.frame.columns)
    assert batch.frame["@timestamp"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), NOW]
    assert batch.frame["event.dataset"].unique().to_list() == ["squid.access"]


names = st.lists(st.sampled_from(["a", "b", "c", "value"]), min_size=1, max_size=4).map(".".join)


@given(st.dictionaries(names, st.integers() | st.none(), max_size=8))
def test_nest_loses_no_value(flat: dict[str, Any]) -> None:
    """Each value that is not null is in the nested document, also where a name is a prefix of another."""
    held = [value for _, value in ecs.flatten(ecs.nest(flat))]
    wanted = [value for value in flat.values() if value is not None]
    collide = any(a != b and (b.startswith(f"{a}.") or b == f"{a}.value") for a in flat for b in flat)
    assert collide or sorted(held) == sorted(wanted)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_digest_tells_parts_apart(one: list[str], other: list[str]) -> None:
    """Equal digests mean equal parts: moving a letter across a border changes it."""
    assert (digest(*one) == digest(*other)) == (one == other)


def test_position_ids() -> None:
    """Ids of a block are its prefix and the row in hex."""
    assert position_ids("s1-0", pl.Series([0, 10, 255])).to_list() == ["s1-0-0", "s1-0-a", "s1-0-ff"]


@given(st.text())
def test_inert_leaves_nothing_that_controls(text: str) -> None:
    """No control character, escape or bidirectional mark survives."""
    shown = inert(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202a\u202e\u2066\u2069\u200f" for c in shown)


def test_what_is_printable_needs_no_second_look() -> None:
    """No sign of all of Unicode that Python calls printable is one that would be written out."""
    signs = [sign for sign in map(chr, range(0x110000)) if sign.isprintable()]
    assert len(signs) > 100_000
    assert [sign for sign in signs if module._CONTROL.match(sign) or module._LINE.match(sign)] == []


def test_a_name_that_is_no_utf8_can_be_shown() -> None:
    """A byte that is no text, as Python holds it in a file's name, is written out: it can be printed, and is no raw byte."""
    assert inert(os.fsdecode("表.log".encode("cp932"))) == "\\udc95\\.log"
    assert spreadsheet_cell(os.fsdecode(b"\x9b2J")) == "2J"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "＝1", "\x1b=1", "\t=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """A spreadsheet sees text."""
    assert spreadsheet_cell(text)[0] not in "=+-@＝\t"


def test_ledger_counts_and_starts_again() -> None:
    """What was taken is not counted again."""
    ledger = Ledger()
    ledger.count("dropped", 2, dataset="d", reason="r")
    ledger.count("dropped", 3, dataset="d", reason="r")
    ledger.count("dropped", 0, dataset="d", reason="none")
    assert ledger.take() == {Line("dropped", "d", "r"): 5}
    assert not ledger.take()
