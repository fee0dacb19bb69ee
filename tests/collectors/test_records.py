"""JSON records as people bring them: cut out of a file, in an envelope, as text of text."""

import json

import polars as pl
import pytest

from collectors.records import JsonRecords, moment

_RECORD = {"id": 1, "list": [{"a": "{"}]}
_TEXT = json.dumps(_RECORD)
_FORMS = {
    "plain": _TEXT,
    "byte order mark": "\ufeff" + _TEXT,
    "syslog header": "<134>1 2026-11-20T03:14:05Z host app - - - " + _TEXT,
    "a brace before it": "<134>Nov 20 03:14:05 host app {0f1e}: " + _TEXT,
    "one of a list": f"[{_TEXT}]",
    "a line of a list": _TEXT + ",",
    "an end of text": _TEXT + "\0\n",
    "JSON as text": json.dumps(_TEXT),
    "records": json.dumps({"records": [_RECORD]}),
    "Records": json.dumps({"Records": [_RECORD]}),
    "OData": json.dumps({"@odata.context": "x", "value": [_RECORD]}),
}


def _read(line: str) -> list[object]:
    intake = pl.DataFrame({"row": [0], "message": [line]}, schema={"row": pl.UInt32, "message": pl.String})
    return [one for frame in JsonRecords().read(intake) for one in frame["document"].to_list()]


@pytest.mark.parametrize("line", _FORMS.values(), ids=_FORMS)
def test_a_record_is_found_in_what_stands_around_it(line: str) -> None:
    """The same record comes out of each form."""
    assert _read(line) == [_RECORD]


@pytest.mark.parametrize("line", ["[{}, {}]", '"{"', '["{}"]', "[1]", '{"a":', "{" * 500])
def test_what_is_no_record_is_none(line: str) -> None:
    """Two records are not one, and what is cut short is none."""
    assert _read(line) == []


def test_a_value_of_a_record_is_no_envelope() -> None:
    """A record may have a list named value; only an OData answer is opened."""
    document = {"name": "x", "value": [{"a": 1}]}
    assert _read(json.dumps(document)) == [document]


def test_a_moment_is_a_count_or_a_text() -> None:
    """Seconds, milliseconds and ISO 8601 of one moment are one; other things are none."""
    found = {moment(1763608445), moment("1763608445000"), moment("2025-11-20T03:14:05Z")}
    assert len(found) == 1
    assert found != {None}
    assert moment(None) is moment("soon") is None


@pytest.mark.parametrize("value", [True, False, "20261120", 20_261_119, 99_999_999])
def test_flags_and_dates_without_a_time_are_no_counts(value: object) -> None:
    """`true` is not the second after 1970 began, nor `20261120` a day of August 1970."""
    assert moment(value) is None
