"""The demo's end accounts for every incident number that a person may have read in a message."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from hinomi.alert import Level
from hinomi.incident import Incident, Status
from hinomi.store.embedded import SqliteRecords
from ops.demo.show import outcome, show

_AT = datetime(2026, 11, 27, 3, tzinfo=UTC)


def _incident(number: int, **more: Any) -> Incident:
    return Incident(
        id=f"i{number}", number=number, title_ja=f"件{number}", title_en="case", level=Level.HIGH, first=_AT, last=_AT,
        opened=_AT, updated=_AT, **more,
    )  # fmt: skip


def test_what_became_of_a_number_that_is_missing_is_told(tmp_path: Path) -> None:
    """Joined ones are no row of their own; a line says which one they became part of. One that a person closed stays a row."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    for one in (
        _incident(1),
        _incident(2, status=Status.CLOSED),
        _incident(3, status=Status.CLOSED, fields={"merged_into": "i1"}),
    ):
        records.put("incident", one.id, one.model_dump(mode="json"))
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps([]), encoding="utf-8")
    found = outcome(records, SimpleNamespace(planted=planted))  # type: ignore[arg-type]
    records.close()
    assert [one.number for one in found.incidents] == [1, 2]
    console = Console(record=True, width=200)
    show(found, console)
    said = console.export_text()
    assert "#3 は、同じ人や端末の警報と分かったので #1 にまとめました。" in said and "joined into #1" in said
    assert "#2 は" not in said
