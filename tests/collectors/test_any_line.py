"""Every source against lines that nobody planned for: nothing raises, no row is lost or doubled."""

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collectors import catalogue
from collectors.source import ROW
from hinomi import ecs
from tests.collectors import content

_TRUE = [case.raw for case in content.cases()]
_STRANGE = st.text(max_size=60)
_CEF = "CEF:0|a|b|c|d|e|1|"


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """A true line cut, with something strange in the middle."""
    line = draw(st.sampled_from(_TRUE))
    at, until = sorted((draw(st.integers(0, len(line))), draw(st.integers(0, len(line)))))
    return line[:at] + draw(_STRANGE) + line[until:]


_LINES = st.lists(st.none() | _STRANGE | st.sampled_from(_TRUE) | _damaged(), min_size=8, max_size=16)
"""Many lines in few batches: it is each batch that costs."""


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=_LINES)
@example(lines=[])
@example(lines=[None, ""])
@example(lines=["=" * 300, '"' * 300, "[" * 300, "{" * 300, _CEF * 9, "%ASA-6-302013: ", "\x1e\x1f\x00"])
@example(lines=["row=1 message=2 received=3 at=4 devid=5", f"{_CEF}row=1 received=x at=2 cef.name=q"])
@example(lines=[f"devid=1 {' '.join(f'k{n}=v' for n in range(900))}", f"{_CEF}^a.*$=1 *=2 [x]=3"])
def test_any_line_is_parsed_or_rejected_once(name: str, lines: list[str | None]) -> None:
    """Each row ends in exactly one place, each column in the type that its name has."""
    intake = content.intake(*["" for _ in lines]).with_columns(pl.Series("message", lines, dtype=pl.String))
    parsed = catalogue.find(name).parse(intake)
    assert sorted(content.rows_of(parsed)) == list(range(len(lines)))
    for frame in parsed.frames:
        for column in set(frame.columns) - {ROW}:
            want = ecs.column_type(column)
            assert frame.schema[column] in ([want] if want else [pl.String(), pl.List(pl.String())])
