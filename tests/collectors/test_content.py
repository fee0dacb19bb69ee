"""All sources of the folder, with their test files: bad content fails like bad code."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collectors import catalogue
from collectors.ecs_values import ALLOWED
from collectors.shapes import patterns
from collectors.source import ROW, Source
from hinomi import ecs
from hinomi.errors import ContentError
from tests.collectors import content
from tests.collectors.content import Case

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


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.source}: {case.name}")
def test_line(case: Case) -> None:
    """The line becomes what the test file says (null: no such field), or is rejected for the reason it says."""
    parsed = catalogue.find(case.source).parse(content.intake(case.raw))
    if case.rejected is not None:
        assert [reason.split(":")[0] for reason in parsed.rejected["reason"]] == [case.rejected]
        return
    assert case.ecs is not None, "a case says `ecs` or `rejected`"
    assert not parsed.rejected.height, parsed.rejected["reason"].to_list()
    got = content.flat(parsed.frames[0].drop(ROW))
    wrong = {name: got.get(name) for name, want in case.ecs.items() if not _same(name, want, got.get(name))}
    assert not wrong, f"expected { ({name: case.ecs[name] for name in wrong}) }"
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
