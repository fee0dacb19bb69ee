"""All sources of the folder, with their test files: bad content fails like bad code."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collectors import catalogue
from collectors.ecs_values import ALLOWED
from collectors.shapes import patterns
from collectors.source import ROW, Parsed, Source
from hinomi import ecs
from hinomi.errors import ContentError
from tests.collectors import content
from tests.collectors.content import Case
from tests.collectors.test_alone import JOINED

CASES = list(content.cases())
_FEWEST = 4


@pytest.mark.parametrize("path", content.files(), ids=lambda path: path.name)
def test_a_source_has_its_name_and_its_test_file(path: Path) -> None:
    """A source is found under the name that its file has, and six lines of its own stand beside it."""
    assert content.source_name(path) in catalogue.sources()
    assert content.test_file(path).exists(), f"{content.test_file(path).name} is missing"
    own = [case for case in CASES if case.source == content.source_name(path)]
    assert len(own) >= _FEWEST


def test_no_test_file_without_its_source() -> None:
    """A test file whose source is gone tests nothing."""
    tested = {content.test_file(path) for path in content.files()}
    assert set(content.FOLDER.glob("*.test.yml")) <= tested


@pytest.mark.parametrize("source", content.sources(), ids=lambda source: source.name)
def test_lines(source: Source) -> None:
    """Each line becomes what the test file says (null: no such field), or is rejected for the reason it says. Lines of a source
    are parsed together, as the tower does; that each is read alone as among others is `test_alone`'s."""
    cases = [case for case in CASES if case.source == source.name]
    for batch in [[case] for case in cases] if source.name in JOINED else [cases]:
        _as_written(batch, source.parse(content.intake(*(case.raw for case in batch))))


def _as_written(cases: list[Case], parsed: Parsed) -> None:
    assert sorted(content.rows_of(parsed)) == list(range(len(cases)))
    reasons = dict(parsed.rejected.select(ROW, "reason").iter_rows())
    events = {row.pop(ROW): row for frame in parsed.frames for row in ecs.rows(frame)}
    for row, case in enumerate(cases):
        assert reasons.get(row, "").split(":")[0] == (case.rejected or ""), (case.name, reasons.get(row))
        if case.rejected is not None:
            continue
        assert case.ecs is not None, f"{case.name}: a case says `ecs` or `rejected`"
        got = events[row]
        wrong = {
            name: got.get(name) for name, want in case.ecs.items() if not _same(name, want, got.get(name))
        }
        assert not wrong, f"{case.name}: expected { ({name: case.ecs[name] for name in wrong}) }"
        _in_ecs(got)


def _same(name: str, want: Any, got: Any) -> bool:
    if isinstance(got, datetime) and want is not None:
        expected = want if isinstance(want, datetime) else datetime.fromisoformat(str(want))
        return got == expected
    if isinstance(got, str) and isinstance(want, (int, float)) and ecs.column_type(name) is None:
        return got == str(want)
    return bool(got == want)


def _in_ecs(event: dict[str, Any]) -> None:
    """Categories are ECS's own, and what ECS names has ECS's type."""
    for name, allowed in ALLOWED.items():
        value = event.get(name)
        assert set([value] if isinstance(value, str) else value or []) <= allowed, (name, value)
    assert event.get("@timestamp") is None or event["@timestamp"].tzinfo is not None


@pytest.mark.parametrize("source", content.sources(), ids=lambda source: source.name)
def test_lines_of_a_source_are_recognised_as_its_own(source: Source) -> None:
    """Auto-detection takes the lines of a test file for the source that they belong to."""
    if not source.recognise:
        pytest.skip(f"{source.name} is only used where a configuration names it")
    lines = [case.raw for case in CASES if case.source == source.name and case.rejected is None]
    assert catalogue.recognise(lines) == source.name


@pytest.mark.parametrize("group", ["row", "message", "peer", "received", "text", "pattern"])
def test_a_group_named_like_a_column_of_every_line_is_said(group: str) -> None:
    """A source's author reads which expression and which name, and no line has to come for it."""
    with pytest.raises(ContentError, match=f'expression "login": no group can be named "{group}"'):
        patterns({"logout": r"(?P<user>\w+) left", "login": rf"(?P<{group}>\w+) came"})


@pytest.mark.parametrize("source", content.sources(), ids=lambda source: source.name)
def test_titles_in_both_languages(source: Source) -> None:
    """People read the source's name in Japanese or English."""
    assert source.title["ja"] and source.title["en"]
