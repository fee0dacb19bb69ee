"""What a hunt writes of a signal where the event itself says something of a rule."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from ops.hunt import signals
from tests.rules.engine import rulebook

SAID = {
    "id": "11111111-2222-4333-8444-555555555555",
    "name": "Test rule",
    "level": "high",
    "tags": ["attack.t1059"],
}


@pytest.mark.parametrize("beside", [{}, {"rule.category": "technique_id=T1059"}])
@pytest.mark.parametrize("events", [2, 40])
def test_the_rule_that_matched_is_named(beside: dict[str, str], events: int, tmp_path: Path) -> None:
    """The RuleName of Sysmon is not taken for it; what else an event says of a rule of its own is kept."""
    loaded = rulebook.rules(
        tmp_path, rulebook.rule({"s": {"f": "x"}, "condition": "s"}, tags=["attack.t1059"])
    )
    own = {"rule.name": "their own", **beside}
    batch = rulebook.batch([{"f": "x", **(own if number % 2 else {})} for number in range(events)])
    hits = loaded.match(batch).hits
    written = signals.written(batch.frame, np.arange(len(batch)), hits)
    documents: list[dict[str, Any]] = [orjson.loads(line) for _, _, line in sorted(written)]
    kept = {name.removeprefix("rule."): value for name, value in beside.items()}
    assert [one["rule"] for one in documents] == [
        {**SAID, **(kept if number % 2 else {})} for number in range(events)
    ]
    assert [one["event"]["id"] for one in documents] == [f"e{number}" for number in range(events)]


def test_documents_are_written_from_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly every event of Sysmon has a RuleName: its signals do not go by way of an object an event."""
    loaded = rulebook.rules(tmp_path, rulebook.rule({"s": {"f": "x"}, "condition": "s"}))
    batch = rulebook.batch([{"f": "x", "rule.name": "-"}] * 40)
    monkeypatch.delattr("hinomi.ecs.documents")
    written = signals.written(batch.frame, np.arange(len(batch)), loaded.match(batch).hits)
    assert len(list(written)) == len(batch)
