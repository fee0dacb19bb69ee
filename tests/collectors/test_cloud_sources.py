"""Cloud services' sources: how their times and envelopes are read, and documents whose parts are anything."""

from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import catalogue
from collectors.aws.envelopes import arn_parts, opened
from collectors.framed import MOST_VENDOR_COLUMNS
from collectors.records import epoch
from collectors.shapes import inner, lines
from collectors.source import ROW
from hinomi import ecs
from tests.collectors import content

SOURCES = ["aws.cloudtrail", "aws.guardduty", "aws.waf", "aws.flow_logs", "okta.system_log", "keycloak.events",
           "github.audit", "salesforce.events", "onepassword.events", "kubernetes.audit", "ocsf.event"]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1795144329, "2026-11-20T03:12:09+00:00"),
        (1795144329123, "2026-11-20T03:12:09.123000+00:00"),
        ("1795144329123456", "2026-11-20T03:12:09.123456+00:00"),
        (1795144329.5, "2026-11-20T03:12:09.500000+00:00"),
        (0, None),
        (-5, None),
        ("inf", None),
        ("nan", None),
        (1e300, None),
        ("soon", None),
        ([1], None),
    ],
)
def test_counts_since_1970_by_their_size(written: object, meant: str | None) -> None:
    """Seconds, milli- and microseconds are told apart; what is no time is none, and nothing loops for ever."""
    found = epoch(written)
    assert (found and found.isoformat()) == meant


@pytest.mark.parametrize(
    ("arn", "parts"),
    [
        ("arn:aws:wafv2:ap-northeast-1:111122223333:regional/webacl/p/1", ("ap-northeast-1", "111122223333", "regional/webacl/p/1")),
        ("arn:aws:wafv2:us-east-1:global/webacl/p/1", ("us-east-1", None, "global/webacl/p/1")),
        ("arn:", (None, None, None)),
        ("arn:aws:iam", (None, None, "iam")),
        (["arn:"], (None, None, None)),
    ],
)  # fmt: skip
def test_parts_of_an_arn(arn: object, parts: tuple[str | None, ...]) -> None:
    """Region and account are there, left out, or the text is no ARN."""
    assert arn_parts(arn) == parts


def test_envelopes_of_aws_are_opened_only_around_one_record() -> None:
    """A file with many records is nobody's line; it is not cut down to its first."""
    assert opened({"Records": [{"a": 1}]}) == {"a": 1}
    assert opened({"Records": [{"a": 1}, {"a": 2}]}) == {"Records": [{"a": 1}, {"a": 2}]}
    assert opened({"detail-type": "x", "detail": {"a": 1}}) == {"a": 1}
    assert opened({"detail": {"a": 1}}) == {"detail": {"a": 1}}


def test_a_line_inside_an_object_keeps_what_stands_around_it() -> None:
    """Wrapped and bare lines become the same; an object without the field, or with a list there, is left out."""
    intake = content.intake(
        '{"message":"hello","host":{"name":"h1"}}', "hello", '{"message":["hello"]}', '{"m":"hello"}'
    )
    frames = inner("message", lines("^hello$")).read(intake.with_row_index(ROW))
    assert [frame[ROW].to_list() for frame in frames] == [[0], [1]]
    assert frames[0]["outer.host.name"].to_list() == ["h1"]


def _paths(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield from _paths(value, (*at, key))


def _replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = _replaced(node[path[0]], path[1:], value)
    return copy


_TRUE: dict[str, list[Any]] = {name: [] for name in SOURCES}
for _case in content.cases():
    if _case.source in SOURCES and _case.raw.lstrip().startswith("{"):
        _TRUE[_case.source].append(orjson.loads(_case.raw))

_STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["-", "inf", "arn:", "https://[", "*", "^.*$", "\x1f", "row", "20261120999999.9"]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("^.*$"), part, max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn, name: str) -> str:
    """A true document of which up to three parts are something else."""
    document = draw(st.sampled_from(_TRUE[name]))
    for _ in range(draw(st.integers(1, 3))):
        paths = sorted(_paths(document), key=str)
        document = _replaced(document, draw(st.sampled_from(paths)), draw(_STRANGE))
    return orjson.dumps(document).decode()


@pytest.mark.parametrize("name", SOURCES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_a_document_with_any_parts_is_parsed_or_rejected_once(name: str, data: st.DataObject) -> None:
    """No value of any type in any place raises, loses a row or doubles it, or leaves a column in a wrong type."""
    written = data.draw(st.lists(_damaged(name), min_size=1, max_size=3))
    parsed = catalogue.find(name).parse(content.intake(*written))
    assert sorted(content.rows_of(parsed)) == list(range(len(written)))
    for frame in parsed.frames:
        for column in set(frame.columns) - {ROW}:
            want = ecs.column_type(column)
            assert frame.schema[column] in ([want] if want else [pl.String(), pl.List(pl.String())])


def test_a_time_that_nanoseconds_cannot_hold_is_none() -> None:
    """Products write the year 9999 for "never": the event stays, its neighbours in the batch, too."""
    entry = '{"action":"repo.create","actor":"t-yamada","created_at":%s}'
    parsed = catalogue.find("github.audit").parse(
        content.intake(entry % '"9999-12-31T23:59:59Z"', entry % "1795144329330")
    )
    [frame] = parsed.frames
    assert [stamp is None for stamp in frame["@timestamp"].to_list()] == [True, False]


def test_names_that_a_sender_invents_do_not_fill_memory() -> None:
    """Thousands of names of a sender's own: the frame stays narrow, what ECS knows and what is common is there."""
    entry = {
        "action": "repo.create",
        "actor": "t-yamada",
        "created_at": 1795144329330,
        "visibility": "private",
    }
    written = [
        orjson.dumps({f"k{number}_{n}": "x" for n in range(100)} | entry).decode() for number in range(60)
    ]
    [frame] = catalogue.find("github.audit").parse(content.intake(*written)).frames
    assert frame.height == 60
    assert frame.width < MOST_VENDOR_COLUMNS + 100
    assert {"user.name", "@timestamp", "github.visibility"} <= set(frame.columns)
