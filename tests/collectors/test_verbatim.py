"""What sources say of texts that stand in their lines holds of every event of their own tests."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from collectors import catalogue
from collectors.narrow import Verbatim
from rules.engine.cache import Cache
from rules.engine.columns import as_text
from rules.engine.expression import ANY
from rules.engine.fold import fold_all
from rules.engine.necessary import AnyOf, Word, needs
from rules.engine.needed import Needed
from rules.engine.plan import Left
from rules.engine.program import Atom
from rules.engine.routes import Wanted
from tests import shared
from tests.rules.engine.rulebook import NOW

FOLDER = Path(__file__).parents[2] / "collectors" / "sources"
SOURCES = {
    "microsoft.m365_audit": 15,
    "microsoft.entra": 150,
    "aws.cloudtrail": 100,
    "okta.system_log": 90,
    "github.audit": 50,
    "fortinet.fortigate": 130,
    "squid.access": 30,
    "cisco.asa": 40,
    "isc.bind": 20,
}
"""Source → texts that its own tests hold at least."""


CORPUS = {
    "microsoft.m365_audit": "office-365/o365",
    "microsoft.entra": "azure/azure-ad",
    "aws.cloudtrail": "aws/aws-cloudtrail",
    "okta.system_log": "okta/okta-system-logs",
    "github.audit": "github/github-audit-logs",
    "fortinet.fortigate": "fortinet/fortigate",
    "squid.access": "squid/squid",
    "cisco.asa": "cisco/cisco-secure-firewall",
    "isc.bind": "bind/bind",
}


@cache
def _frames(name: str) -> tuple[list[str], list[pl.DataFrame]]:
    """Single lines of the source's own tests and of the corpus, and what it makes of them."""
    cases = yaml.safe_load((FOLDER / f"{name.replace('.', '_')}.test.yml").read_text(encoding="utf-8"))
    raw = [case["raw"] for case in cases if isinstance(case.get("raw"), str)]
    path = shared.corpus("intake", f"{CORPUS[name]}.jsonl")
    raw += [json.loads(line)["message"] for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [_on_one_line(text.strip()) for text in raw]
    intake = pl.DataFrame({"message": lines}).with_columns(
        pl.lit(NOW).cast(pl.Datetime("ns", "UTC")).alias("received"), pl.lit("").alias("peer")
    )
    return lines, catalogue.find(name).parse(intake.with_row_index("row")).frames


def _on_one_line(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=len(text) % 2 == 0) if "\n" in text else text
    except json.JSONDecodeError:
        return text.replace("\n", " ")


def _found(verbatim: Verbatim, line: str, program: list[Any], atoms: list[Atom], where: Wanted = ()) -> bool:
    """Whether a line is read for a rule; a rule of which one cannot tell reads every line."""
    need = needs([Left(0, where, program, None, frozenset())], atoms, verbatim)
    return Needed(need, verbatim, Cache(None)).holding([line.encode()]) in (None, [0])


def test_of_no_lines_none_holds() -> None:
    """A block without a line is no special case: nothing in it holds a need."""
    needed = Needed(AnyOf((Word("abc", 0.1), Word("xyz", 0.1))), Verbatim({}), Cache(None))
    assert needed.holding([]) == []
    assert needed.holding([b"q", b"xabc"]) == [1]


def _forms(text: str) -> list[tuple[str | int, ...]]:
    third = len(text) // 3
    return [
        (text,),
        (text[:-third], ANY) if third else (text, ANY),
        (ANY, text[third:]),
        (ANY, text[third : len(text) - third], ANY),
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_texts_stand_in_their_line(name: str) -> None:
    """Every text of every column that the source speaks of: a rule that asks for the whole text, how it begins, ends or
    for what it holds, reads the line; so do rules of the numbers and of what is compared in other ways."""
    verbatim = catalogue.find(name).verbatim
    assert verbatim is not None
    lines, frames = _frames(name)
    checked, seen = 0, Counter[tuple[str, str]]()
    for frame in frames:
        for column in frame.columns:
            if column == "row" or verbatim.of(column) is None:
                continue
            for row, text in _cells(frame, column):
                seen[column, (text or "")[:12]] += 1
                if text is not None and seen[column, text[:12]] <= 1:  # of many alike a few
                    checked += 1
                    _check(verbatim, lines[row], column, text)
    assert checked >= SOURCES[name]


def _cells(frame: pl.DataFrame, column: str) -> list[tuple[int, str | None]]:
    """(row, text) of each value."""
    held = frame.select("row", column)
    held = held.explode(column) if isinstance(held.schema[column], pl.List) else held
    return list(zip(held["row"].to_list(), as_text(held[column]).to_list(), strict=True))


def _check(verbatim: Verbatim, line: str, column: str, text: str) -> None:
    [folded] = fold_all([text])
    atoms = [Atom(column, "is", form, "folded") for form in (_forms(folded) if text else [()])]
    atoms.append(Atom(column, "lt", 10**18, None))
    for number, atom in enumerate(atoms):
        program = ["test", number] if atom.space is None else ["any", column, [number]]
        assert _found(verbatim, line, program, atoms), (column, text, atom.operand, line)


LONG = {
    "cisco.asa": "%ASA-6-302013: Built inbound TCP connection 18 for outside:2001:0DB8:0000:0000::0005/40454 "
    "(2001:0db8::5/40454) to inside:2001:0db8:0:0:0:0:0:9/53 (2001:db8::9/53)",
    "fortinet.fortigate": 'date=2026-11-28 time=10:00:00 devname="fw" devid="F" logid="0000000013" type="traffic" '
    'subtype="forward" srcip=2001:0DB8:0000:0000::0005 srcport=5 dstip=2001:0db8:0:0:0:0:0:9 dstport=53 action="accept"',
    "squid.access": "1795827600.123 5 2001:0DB8:0000:0000::0005 TCP_MISS/200 1234 GET http://x.example/ - "
    "HIER_DIRECT/2001:0db8:0:0:0:0:0:9 text/html",
}


@pytest.mark.parametrize("name", LONG)
def test_long_ipv6_addresses_are_read(name: str) -> None:
    """A line whose IPv6 address is not in the short form that the column has is read all the same."""
    verbatim = catalogue.find(name).verbatim
    assert verbatim is not None
    intake = pl.DataFrame({"message": [LONG[name]]}).with_columns(
        pl.lit(NOW).cast(pl.Datetime("ns", "UTC")).alias("received"), pl.lit("").alias("peer")
    )
    [frame] = catalogue.find(name).parse(intake.with_row_index("row")).frames
    for column, text in (("source.ip", "2001:db8::5"), ("destination.ip", "2001:db8::9")):
        if verbatim.of(column) is not None and column in frame.columns:
            assert _cells(frame, column) == [(0, text)]
            _check(verbatim, LONG[name], column, text)


@pytest.mark.parametrize("name", SOURCES)
def test_routes_are_told_by_their_line(name: str) -> None:
    """A rule routed by a text that a column has reads the line of that event."""
    verbatim = catalogue.find(name).verbatim
    assert verbatim is not None
    lines, frames = _frames(name)
    for column in {column for column, _ in verbatim.where}:
        for frame in frames:
            for row, texts in _cells(frame, column):
                if texts is not None:
                    assert _found(verbatim, lines[row], ["not", ["or", []]], [], ((column, (texts,)),)), (
                        lines[row]
                    )


@pytest.mark.parametrize("name", SOURCES)
def test_texts_of_the_source_s_own_are_of_its_own_signs(name: str) -> None:
    """Every piece between joints of every text is in the line, or consists of the signs of what the source writes
    itself: a keyword in it that has other signs can be looked for in the line."""
    verbatim = catalogue.find(name).verbatim
    assert verbatim is not None
    lines, frames = _frames(name)
    own = rf"^[{verbatim.own}]*$"
    for frame in frames:
        for column, dtype in frame.schema.items():
            if dtype not in (pl.String, pl.List(pl.String)):
                continue
            for row, text in _cells(frame, column):
                shown = fold_all([lines[row].replace("\\/", "/")])[0]
                for piece in (
                    pl.Series(fold_all([text or ""])).str.extract_all(f"[{verbatim.signs}]+").explode()
                ):
                    cut = (
                        pl.Series([piece or ""])
                        .str.replace_all(f"[{verbatim.joints or chr(0)}]", "\n")
                        .item()
                        .split("\n")
                    )
                    for one in cut:
                        told = one in shown or pl.Series([one]).str.contains(own).item()
                        assert told or _read_anyway(verbatim, lines[row]), (column, text, one, lines[row])


def _read_anyway(verbatim: Verbatim, line: str) -> bool:
    """Whether the line is read for one of the expressions for which every line is read."""
    return bool(verbatim.always) and _found(verbatim, line, ["or", []], [])


def test_values_read_alone() -> None:
    """Of every record of the tests and the corpus the values read alone are those of the whole reading, or nothing is said."""
    verbatim = catalogue.find("aws.cloudtrail").verbatim
    assert verbatim is not None and verbatim.cells is not None
    lines, frames = _frames("aws.cloudtrail")
    cells, odd = verbatim.cells.read([line.encode() for line in lines])
    checked = 0
    for frame in frames:
        for place, row in enumerate(frame["row"].to_list()):
            if row in odd:
                continue
            for column in cells.columns:
                whole = frame[column][place] if column in frame.columns else None
                assert cells[column][row] == whole, (column, lines[row])
                checked += whole is not None
    assert checked >= 40


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"eventName": "x"}',
        b'{"eventName": "x", "eventSource": "y", "Records": []}',
        b'{"eventName": "-", "eventSource": "y"}',
        b'{"eventName": "x", "eventSource": "y", "errorCode": 5}',
        b'{"eventName": "x", "eventSource": "y", "userIdentity.type": "z"}',
        b'{"eventName": "x", "eventSource": "y", "userIdentity": "z"}',
        b'{"eventName": "x", "eventSource": "y", "userIdentity": {"session*": "z"}}',
        b'<134> {"eventName": "x", "eventSource": "y"}',
    ],
)
def test_of_odd_records_nothing_is_said(line: bytes) -> None:
    """Wrappers, prefixes, numbers, words for nothing, names that may mean what lies deeper: the whole reading decides."""
    verbatim = catalogue.find("aws.cloudtrail").verbatim
    assert verbatim is not None and verbatim.cells is not None
    assert verbatim.cells.read([line])[1] == [0]


def test_what_an_address_is() -> None:
    """A rule that names an IPv6 address reads lines with any spelling of one, and no line for the colons of an ARN."""
    verbatim = catalogue.find("aws.cloudtrail").verbatim
    assert verbatim is not None
    atoms = [
        Atom("source.address", "is", ("2001:db8::1",), "folded"),
        Atom("source.address", "cidr", "2001:db8::1/128", None),
    ]
    program = ["or", [["any", "source.address", [0]], ["test", 1]]]
    for address in ("2001:DB8::1", "2001:db8:0:0:0:0:0:1", "[2001:0db8::1]", "inside:2001:db8::1/443", "::1"):
        assert _found(verbatim, f'{{"sourceIPAddress": "{address}"}}', program, atoms)
    assert not _found(verbatim, '{"arn": "arn:aws:sts::111122223333:assumed-role/x"}', program, atoms)
