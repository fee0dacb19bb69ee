"""What a source tells of some records under a vendor's name leaves what the vendor wrote in the others."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from collectors.records import JsonRecords
from collectors.source import Source

source = Source(name="test.kept", title={"ja": "試験", "en": "test"}, shape=JsonRecords(), leftovers="test")


@source.each
def _event(record: dict[str, Any]) -> Mapping[str, Any]:
    return {"event.action": "x", "test.kind": "told"} if record.get("tell") else {"event.action": "x"}


def test_a_name_told_of_one_record_is_kept_of_the_others() -> None:
    """`test.kind` is the source's in the first record and the vendor's own in the second, alone or together."""
    lines = ['{"tell":true,"kind":"a"}', '{"kind":"b"}']
    (frame,) = source.parse(pl.DataFrame({"message": lines, "peer": [""] * 2})).frames
    assert frame.sort("row")["test.kind"].to_list() == ["told", "b"]
    (alone,) = source.parse(pl.DataFrame({"message": lines[1:], "peer": [""]})).frames
    assert alone["test.kind"].to_list() == ["b"]
