"""The same line by another way: other relays, other syslog headers, what transports leave around it."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import polars as pl
import pytest

from collectors import carried, catalogue, parse, syslog
from hinomi import ecs
from tests.collectors import content

_AROUND = {
    "carriage return": "{}\r",
    "line end": "{}\n",
    "blank": "{} ",
    "nul": "{}\0",
    "byte order mark": "\ufeff{}",
    "blanks before": "  {}",
}
_HEADS = {
    "priority": "<134>",
    "RFC 3164": "<134>Nov 20 03:12:09 relay01 ",
    "RFC 3164 in a file": "Nov 20 03:12:09 relay01 ",
    "RFC 5424": "<134>1 2026-11-20T03:12:09.123456+09:00 relay01 - - - - ",
    "RFC 5424 with its mark": "<134>1 2026-11-20T03:12:09Z relay01 - - - - \ufeff",
    "rsyslog's file": "2026-11-20T03:12:09.123456+09:00 relay01 ",
    "a priority and rsyslog's time": "<134>2026-11-20T03:12:09+09:00 relay01 ",
    "octets counted": "{count} <134>Nov 20 03:12:09 relay01 ",
    "a priority and a blank": "<134> ",
    "two relays": "<134>Nov 20 03:12:10 relay02 <134>Nov 20 03:12:09 relay01 ",
    "three relays": "<134>Nov 20 03:12:11 relay03 <13>Nov 20 03:12:10 relay02 <134>1 2026-11-20T03:12:09Z relay01 - - - - ",
    "a container runtime": "2026-11-20T03:12:09.123456789+09:00 stderr F ",
    "RFC 3164 in RFC 5424": '<134>1 2026-11-20T03:12:10.1+09:00 relay02 - - - [meta sequenceId="1"] <134>Nov 20 03:12:09 relay01 ',
}
_OF_THE_HEADER = re.compile(
    r"^(?:host\.|observer\.|process\.|log\.|message$|related\.hosts$|email\.local_id$|isc\.bind\.category$|symantec\.Site$)"
)
"""Fields that a relay's header may say otherwise: from whom, and by which program, for which a word and a colon before the
text is taken (`xfer-in: `, a queue's id, `Site: `)."""
_EXCEPT = {
    "veeam.backup": "its lines always have a header, whose time is the event's; DateTime is one of its facts",
    "aws.flow_logs": "a version, an account and an interface read like the version, time and host of RFC 5424",
}

_ZONELESS = {"freeradius.radiusd", "openvpn.server", "ibm.aix_audit"}
"""Their own clock names no zone: a header with an offset says what it means, in its test file; no other header does."""
_OFFSET = re.compile(r"\d(?:Z|[+-]\d\d:\d\d) relay01 ")


def _missing(document: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the first says and the other does not, or otherwise; of lists, what the other lacks."""
    one, two = dict(ecs.flatten(document)), dict(ecs.flatten(other))
    return {name: (value, two.get(name)) for name, value in one.items() if not _holds(two.get(name), value)}


def _holds(got: Any, want: Any) -> bool:
    return got == want or (isinstance(got, list) and isinstance(want, list) and set(want) <= set(got))


def _headless(lines: list[str]) -> list[str]:
    """Those of the lines that have no header and are no document."""
    intake = content.intake(*lines)
    bare = syslog.split(intake).filter(pl.all_horizontal(pl.col(name).is_null() for name in syslog.HEADER))
    return [line for line in bare["message"].to_list() if line in lines]


def _read(
    name: str, lines: list[str], ways: dict[str, list[str]]
) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(way, line, what it says, what it says by that way) of each line by each way."""
    documents = parse.documents(catalogue.find(name), [*lines, *itertools.chain(*ways.values())])
    expected, found = documents[: len(lines)], iter(documents[len(lines) :])
    for way in ways:
        for line, want in zip(lines, expected, strict=True):
            yield way, line, want, next(found)


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
def test_what_stands_around_a_line_changes_nothing(name: str) -> None:
    """Line ends, blanks, NUL and a byte order mark, which files, Windows' tools and relays leave there."""
    lines = content.examples(name)
    ways = {way: [form.format(line) for line in lines] for way, form in _AROUND.items()}
    for way, line, want, got in _read(name, lines, ways):
        assert not _missing(want, got), (way, line)


@pytest.mark.parametrize("name", sorted(set(catalogue.sources()) - set(_EXCEPT)))
def test_a_relays_header_takes_nothing_away(name: str) -> None:
    """A line that needs no header is read behind any: what it says itself stays."""
    lines = _headless(content.examples(name))
    ways = {way: [_headed(head, line) for line in lines] for way, head in _HEADS.items()}
    for way, line, want, got in _read(name, lines, ways):
        lost = {field for field in _missing(want, got) if not _OF_THE_HEADER.match(field)}
        if name in _ZONELESS and _OFFSET.search(_HEADS[way]):
            lost.discard("@timestamp")
        assert got and not lost, (way, line, lost)


_OF_ANY = {"generic.json", "otel.log", "linux.journald"}
"""Sources to which a shipper's document is a document of their own."""
_CARRIED: dict[str, Callable[[str], Any]] = {
    "Filebeat": lambda line: {
        "@timestamp": _SENT,
        "message": line,
        "agent": {"type": "filebeat"},
        "host": {"name": "relay01"},
    },
    "a JSON string": lambda line: line,
}
_SENT = "2026-11-20T03:12:10.000Z"
_NOTHING_ELSE: dict[str, Callable[[str], Any]] = {
    "a line and nothing else": lambda line: {"message": line},
    "a log and nothing else": lambda line: {"log": line},
    "Docker": lambda line: {"log": f"{line}\n", "stream": "stdout", "time": _SENT},
    "Docker with attributes": lambda line: {
        "log": f"{line}\n",
        "stream": "stderr",
        "attrs": {"tag": "web"},
        "time": _SENT,
    },
    "Fluentd in Docker": lambda line: {
        "container_id": "0f1e",
        "container_name": "/web",
        "source": "stdout",
        "log": line,
    },
    "Fluent Bit": lambda line: {
        "date": 1795144330.5,
        "time": _SENT,
        "stream": "stdout",
        "_p": "F",
        "log": line,
        "kubernetes": {"pod_name": "web-1", "labels": {"app": "web"}},
    },
    "Splunk's HTTP Event Collector": lambda line: {
        "time": 1795144330.5,
        "host": "relay01",
        "source": "/var/log/a.log",
        "sourcetype": "a",
        "event": line,
        "fields": {"site": "a"},
    },
}
"""Documents around a line that no source takes for its own, not even those that take any."""


@pytest.mark.parametrize("name", sorted(set(catalogue.sources()) - _OF_ANY))
def test_a_shippers_document_takes_nothing_away(name: str) -> None:
    """A line, or a JSON document, that came as text in a shipper's JSON is read as if it had come alone."""
    lines = content.examples(name)
    ways = {way: [orjson.dumps(carry(line)).decode() for line in lines] for way, carry in _CARRIED.items()}
    for way, line, want, got in _read(name, lines, ways):
        if want:
            assert not _missing(want, got), (way, line)


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
def test_a_document_of_one_line_is_that_line(name: str) -> None:
    """A line with nothing around it but its container is read as if it had come alone, by every source."""
    lines = content.examples(name)
    ways = {
        way: [orjson.dumps(carry(line)).decode() for line in lines] for way, carry in _NOTHING_ELSE.items()
    }
    for way, line, want, got in _read(name, lines, ways):
        if want:
            assert not _missing(want, got), (way, line)


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
def test_escaped_quotation_marks_are_marks(name: str) -> None:
    """Text of which every quotation mark came escaped."""
    lines = [line for line in content.examples(name) if '"' in line and "\\" not in line and "{" not in line]
    ways = {"escaped": [line.replace('"', '\\"') for line in lines]}
    for way, line, want, got in _read(name, lines, ways):
        assert not _missing(want, got), (way, line)


_OWN = '{"user":"t.yamada","action":"login"}'
_AT = "2026-11-20T03:12:10Z"


def _generic(document: dict[str, Any]) -> dict[str, Any]:
    [found] = parse.documents(catalogue.find("generic.json"), [orjson.dumps(document).decode()])
    return dict(ecs.flatten(found))


def test_a_programs_own_document_is_not_a_containers() -> None:
    """Time, source and message are what any program may write: none of its fields is lost for its `message`."""
    found = _generic({"time": "2026-11-20T12:12:10+09:00", "source": "shisetsu-yoyaku", "message": _OWN})
    assert (found["@timestamp"], found["json.source"], found["message"]) == (_AT, "shisetsu-yoyaku", _OWN)


def test_a_programs_own_event_is_not_splunks() -> None:
    """An `event` that is a text is the program's where nothing says that it was sent to Splunk, or where more is said."""
    for more in ({"host": "sv01"}, {"sourcetype": "a", "user": "t.yamada"}):
        found = _generic({"time": "2026-11-20T12:12:10+09:00", "event": _OWN, **more})
        assert found["@timestamp"] == _AT and "event.action" not in found


def test_what_is_sent_to_splunk_says_when_and_where() -> None:
    """The collector's time and host, where the text says neither."""
    found = _generic({"time": 1795144330.0, "host": "sv01", "sourcetype": "a", "event": _OWN})
    assert (found["@timestamp"], found["host.name"], found["user.name"]) == (_AT, "sv01", "t.yamada")


@pytest.mark.parametrize(
    "container",
    [
        {"log": _OWN + "\n", "stream": "stdout", "time": _SENT},
        {"date": 1795144330.0, "log": _OWN, "_p": "F"},
        {"time": _SENT, "date": 1795144331.0, "log": _OWN, "kubernetes": {"pod_name": "web-1"}},
    ],
)
def test_a_line_without_a_time_has_its_containers(container: dict[str, Any]) -> None:
    """Docker and Fluent Bit say when the line was written; what the line says itself stays."""
    found = _generic(container)
    assert (found["@timestamp"], found["user.name"], found["event.action"]) == (_AT, "t.yamada", "login")
    own = _OWN.replace("{", '{"time":"2026-11-20T03:12:09Z",')
    assert _generic(container | {"log": own})["@timestamp"] == "2026-11-20T03:12:09Z"


def _headed(head: str, line: str) -> str:
    """The line behind a header, which counts its octets where it is of that kind."""
    counted = head.removeprefix("{count} ") + line
    return counted if counted.startswith(head) else f"{len(counted.encode())} {counted}"


def test_lines_left_over_are_tried_in_their_order() -> None:
    """Documents and lines behind a relay's header among one another: a line of column names stays before its values."""
    lines = [f'{{"data": {{"n": {n}}}}}' if n % 3 else f"{_HEADS['RFC 3164']}line {n}" for n in range(60)]
    rows = content.intake(*lines).with_row_index("row")
    tried = [inside["row"] for inside in carried.otherwise(rows) if inside.height]
    assert len(tried) == 2 and all(order.is_sorted() for order in tried)
