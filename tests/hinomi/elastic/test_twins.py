"""A cluster of the release before: what it holds is found, a vendor's own names are not taken for its, and it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from ops import stores
from ops.doctor import room
from ops.doctor.finding import Patient, State
from ops.rundir import RunDir
from ops.settings import Settings
from rules import lucene
from rules.engine import logsource
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VALUES = ("-10", "-4", "-0.5", "0", "3", "5", "7.25", "1e3", "1e308", "text", "+6", "-x")
_RULE = """
title: t
id: 5013fa2e-5b49-4a1f-a1b9-6b7a9f6fbd01
logsource: {product: hinomi, service: linux.auth}
detection:
  selection: {vendor.x|%s: %s}
  condition: selection
level: low
"""


def _append(events: ElasticEvents, at: datetime, first: str, **values: list[str]) -> None:
    """An event a value, in the index of that day; ids are `first` and a number."""
    columns = {
        "@timestamp": pl.Series([at] * len(VALUES)).cast(ecs.TIME),
        "event.id": [f"{first}{n}" for n in range(len(VALUES))],
        **{name.replace("_", "."): texts for name, texts in values.items()},
    }
    assert events.append([Batch.of("linux.auth", pl.DataFrame(columns), ingested=NOW)]).stored == len(VALUES)


@pytest.fixture(scope="module")
def both_forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticEvents]:
    """A dataset with an index as form 1 made it, and one of now with a vendor's own `x.number` beside `x`."""
    client, namespace = elastic.client(), elastic.namespace(tmp_path_factory.mktemp("twins"))
    events = ElasticEvents(client, namespace, clock=FixedClock(NOW), refresh=True)
    events.prepare(replicas=0)
    number = {"type": "double", "ignore_malformed": True, "doc_values": False}
    twin = {"vendor.x": {"type": "keyword", "fields": {"number": number}}}
    client.indices.create(
        index=f"logs-linux.auth-{namespace}-2026.11.19", mappings={"subobjects": False, "properties": twin}
    )
    _append(events, NOW - timedelta(days=1), "old", vendor_x=list(VALUES))
    _append(events, NOW, "new", vendor_x=["q"] * len(VALUES), vendor_x_number=list(VALUES))
    yield events
    events.close()


@pytest.mark.parametrize("number", ["5", "-4", "0", "-0", "1e3", "-1e-7", "1e308"])
@pytest.mark.parametrize(("sign", "said"), [("<", "lt"), ("<=", "lte"), (">", "gt"), (">=", "gte")])
def test_old_indices_are_asked_under_their_own_name(
    both_forms: ElasticEvents, sign: str, said: str, number: str
) -> None:
    """By the search language and by a rule: just what is so, and no vendor's `x.number` by the order of its signs."""
    holds = {"<": lt, "<=": le, ">": gt, ">=": ge}[sign]
    expected = {
        f"old{n}"
        for n, text in enumerate(VALUES)
        if text[-1] not in "tx" and holds(float(text), float(number))
    }
    found = both_forms.search(f"vendor.x {sign} {number}", limit=100).rows
    assert {row["event.id"] for row in found} == expected
    [query] = lucene.queries(lucene.read(_RULE % (said, f"{float(number):.1e}")), logsource.read())
    frames = list(both_forms.matching(query.body, dataset=query.dataset))
    assert {name for frame in frames for name in frame["event.id"]} == expected


def test_templates_of_an_earlier_release_are_told(tmp_path: Path) -> None:
    """Whatever starts logs the command to run, and the doctor shows it, until it was run; nothing is held up meanwhile."""
    namespace = elastic.namespace(tmp_path)
    events, records = ElasticEvents(elastic.client(), namespace), ElasticRecords(elastic.client(), namespace)
    events.prepare(replicas=0)
    records.put("prepared", "templates", {"replicas": 0})  # as the release before did
    there = {**elastic.running().reached(tmp_path), "namespace": namespace}
    settings = Settings.model_validate({"store": {"kind": "elasticsearch", "elasticsearch": there}})
    assert _told(settings, events, records, tmp_path) == (True, True)
    events.prepare(replicas=0)
    assert _told(settings, events, records, tmp_path) == (False, False)
    records.close()
    events.close()


def _told(
    settings: Settings, events: ElasticEvents, records: ElasticRecords, data: Path
) -> tuple[bool, bool]:
    """Whether a process that starts says it, and whether the doctor does."""
    with capture_logs() as said:
        assert stores.made_ready(settings.store, FixedClock(NOW), lambda _: True)
    patient = Patient(data, settings, events, records, RunDir.of(data))
    checks = [check for check in room.store(patient) if check.state is State.WARN]
    return any("store init" in one.get("reason", "") for one in said), any(
        "store init" in one.remedy.en for one in checks
    )
