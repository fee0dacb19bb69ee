"""`hinomi parse`: raw messages in a file become documents in the same order."""

import io
import json
from pathlib import Path

import pytest

from collectors import catalogue, parse
from hinomi.errors import InputError
from tests.collectors import content

FIREBOX = (
    '<140>Nov 20 03:14:05 FB1 D0B0 (2026-11-19T18:14:05) firewall: msg_id="3000-0148" Allow 1-Trusted 0-External tcp '
    "10.0.1.2 203.0.113.9 5000 443 offset 8"
)
TUNNEL = "1795144445.123     61 10.30.8.41 TCP_TUNNEL/200 8811 CONNECT www.example.jp:443 - HIER_DIRECT/192.0.2.7 -"


def _wrong(error: InputError) -> None:
    raise AssertionError(error)


def _parse(path: Path, *messages: object) -> list[dict[str, object]]:
    path.write_text("\n".join(json.dumps({"message": message}) for message in messages), encoding="utf-8")
    out = io.BytesIO()
    parse.parse_messages(catalogue.find("squid.access"), path, out, _wrong)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_document_for_each_message_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not understood is an empty document in its place, across chunks, too."""
    monkeypatch.setattr(parse, "_CHUNK", 2)
    lines = [TUNNEL.replace("10.30.8.41", f"10.30.8.{n}") if n % 2 else "hello" for n in range(7)]
    found = _parse(tmp_path / "m.jsonl", *lines)
    assert [bool(document) for document in found] == [n % 2 == 1 for n in range(7)]
    assert found[5]["source"] == {"ip": "10.30.8.5", "address": "10.30.8.5"}
    assert found[1]["@timestamp"] == "2026-11-20T03:14:05.123Z"


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    """JSON can spell what no text can hold; the line is read all the same."""
    assert _parse(tmp_path / "m.jsonl", f"{TUNNEL}\ud800", TUNNEL)[1]


@pytest.mark.parametrize("line", ['{"msg": "x"}', "[]", "{", '{"message": 7}', '{"message": null}', "\xff"])
def test_a_line_that_is_no_message_is_named_and_stops_nothing(tmp_path: Path, line: str) -> None:
    """It is {} in its place, told with file, line and what was expected; the line after it is read."""
    path, out, told = tmp_path / "m.jsonl", io.BytesIO(), list[InputError]()
    good = json.dumps({"message": TUNNEL}).encode()
    path.write_bytes(b"\n".join((good, line.encode("latin-1"), b"", good)))
    parse.parse_messages(catalogue.find("squid.access"), path, out, told.append)
    assert [bool(json.loads(one)) for one in out.getvalue().splitlines()] == [True, False, True]
    assert [error.where and error.where.line for error in told] == [2]
    assert '{"message": raw}' in str(told[0])


def test_a_mark_of_byte_order_is_no_text(tmp_path: Path) -> None:
    """Windows editors put one before the first line."""
    path, out = tmp_path / "m.jsonl", io.BytesIO()
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"message": TUNNEL}).encode())
    parse.parse_messages(catalogue.find("squid.access"), path, out, _wrong)
    assert json.loads(out.getvalue())["source"]["ip"] == "10.30.8.41"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """No stack trace for a slip in the path."""
    with pytest.raises(InputError, match="読めません"):
        parse.parse_messages(catalogue.find("squid.access"), tmp_path / "none.jsonl", io.BytesIO(), _wrong)


def test_what_a_line_says_does_not_hang_on_its_neighbours() -> None:
    """A Firebox's line that names its source by key leaves the lines beside it their own source by place."""
    source = catalogue.find("watchguard.firebox")
    alone = source.parse(content.intake(FIREBOX)).frames[0]
    beside = source.parse(content.intake(FIREBOX, f'{FIREBOX} src="192.0.2.9"')).frames[0]
    assert alone["source.ip"].to_list() == ["10.0.1.2"]
    assert beside["source.ip"].to_list() == ["10.0.1.2", "192.0.2.9"]
    assert beside["destination.port"].to_list() == [443, 443]
