"""What every source's events have in common, whatever product wrote the line: seen on the lines of all test files."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from collectors import catalogue
from collectors.derivation import RELATED, derived
from collectors.ecs_values import EXPECTED, expected_types
from collectors.source import ROW
from hinomi import ecs
from tests.collectors import content

pytestmark = pytest.mark.xdist_group("derivation")  # what is made once for all of them is made in one process


def _events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of every test file: the lines of a source are parsed together, as a batch is."""
    lines: dict[str, list[str]] = {}
    for case in content.cases():
        lines.setdefault(case.source, []).append(case.raw)
    for name, raw in lines.items():
        for frame in catalogue.find(name).parse(content.intake(*raw)).frames:
            for row in frame.drop(ROW).iter_rows(named=True):
                yield name, {key: value for key, value in row.items() if value is not None}


@pytest.fixture(scope="module")
def events() -> list[tuple[str, dict[str, Any]]]:
    """Parsed once for all tests here."""
    return list(_events())


def _values(event: dict[str, Any], field: str) -> list[str]:
    value = event.get(field, [])
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", sorted(RELATED))
def test_related_holds_all_that_the_event_names(events: list[tuple[str, dict[str, Any]]], name: str) -> None:
    """An address, person, host or hash of any field is found by looking in one field, once."""
    assert len(events) > 500
    for source, event in events:
        said = event.get(name, [])
        assert len(said) == len(set(said)), (source, name, said)
        for field in RELATED[name]:
            missing = [value for value in _values(event, field) if value and value not in said]
            assert not missing, (source, field, missing)


def test_address_columns_hold_addresses(events: list[tuple[str, dict[str, Any]]]) -> None:
    """A store refuses a whole document for one word in an `ip` field."""
    fields = [field.name for field in ecs.fields().values() if field.kind == "ip"]
    for source, event in events:
        for field in fields:
            for value in _values(event, field):
                assert ipaddress.ip_address(value).compressed == value or "." in value, (source, field, value)


def test_no_known_field_is_empty(events: list[tuple[str, dict[str, Any]]]) -> None:
    """An empty text is no value; the line's own text may be one."""
    for source, event in events:
        empty = [name for name, value in event.items() if value == "" and name in ecs.fields()]
        assert set(empty) <= {"message", "event.original"}, (source, empty)


def test_types_are_those_that_ecs_expects_of_the_categories(events: list[tuple[str, dict[str, Any]]]) -> None:
    """Any pair of category and type is one of ECS's tables."""
    for source, event in events:
        categories = event.get("event.category", [])
        expected = frozenset[str]().union(*(EXPECTED[one] for one in categories))
        assert not categories or set(event.get("event.type", [])) <= expected, (source, categories, event)


def test_names_and_addresses_are_split_alike(events: list[tuple[str, dict[str, Any]]]) -> None:
    """A path gives its name, a name its extension, a web address its host, an account its domain, in every source."""
    for source, event in events:
        path = event.get("file.path", "")
        assert not re.search(r"[^\\/]$", path) or "file.name" in event, (source, path)
        assert not re.search(r"\w\.\w{1,16}$", event.get("file.name", "")) or "file.extension" in event, (
            source
        )
        program = event.get("process.executable", "")
        assert not re.search(r"[^\\/]$", program) or "process.name" in event, (source, program)
        address = event.get("url.original", "")
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\w", address):
            assert {"url.full", "url.domain", "url.scheme"} <= event.keys(), (source, address)
        assert not address.startswith("/") or "url.path" in event, (source, address)
        assert not re.search(r"^[^\\]+\\+[^\\]+$", event.get("user.name", "")), (source, event["user.name"])


def test_a_refused_sign_in_is_one_that_began() -> None:
    """ECS knows no `denied` of authentication; of what a category does not expect the plainest word stays."""
    assert expected_types(("authentication",), ("denied",)) == ("start",)
    assert expected_types(("network",), ("connection", "denied")) == ("connection", "denied")
    assert expected_types(("registry",), ("info",)) == ("access",)
    assert expected_types(("email",), ("deletion",)) == ("info",)
    assert expected_types(("unheard-of",), ("info",)) == ("info",)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("www.example.com/a?b=1", {"url.query": "b=1", "url.path": None, "url.full": None}),
        ("file:///C:/x?y", {"url.full": "file:///C:/x?y", "url.path": "/C:/x", "url.query": "y"}),
        ("is it so?", {"url.query": None}),
    ],
)
def test_an_address_without_a_host_or_scheme_keeps_its_parts(address: str, parts: dict[str, Any]) -> None:
    """What the address says is told, and nothing of a text that is none."""
    told = derived(pl.DataFrame({"url.original": [address]})).row(0, named=True)
    assert {name: told.get(name) for name in parts} == parts
