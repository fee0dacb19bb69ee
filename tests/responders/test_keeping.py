"""What an evidence step keeps: also what events hold under another name than alerts do."""

import gzip
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from hinomi.alert import COLUMNS
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from responders.audit import Audit
from responders.incidents import casefile
from responders.incidents.evidence import Vault
from responders.incidents.keeping import Keeping
from responders.incidents.shelf import FolderShelf
from responders.playbooks.run import Run, RunStep
from tests.responders.city import NIGHT, alert, responder

COLUMN = [(entity, column) for entity, held in COLUMNS.items() for column in held]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one step kept about a thing of a cloud and a segment, where each of the columns named its own event and another's."""
    folder = tmp_path_factory.mktemp("keeping")
    one, clock = responder(folder)
    incident = one.receive([alert()])[0]
    rows = [
        {column: name, "event.id": f"{column}|{name}"} for _, column in COLUMN for name in ("ours", "theirs")
    ]
    events = ParquetEvents(folder / "events", clock=FixedClock(NIGHT))
    time = pl.lit(NIGHT - timedelta(hours=1)).cast(pl.Datetime("ns", "UTC")).alias("@timestamp")
    events.append(
        [Batch("city.mixed", pl.DataFrame(rows, infer_schema_length=None).with_columns(time), "one")]
    )
    assert isinstance(one.records, SqliteRecords)
    shelf = FolderShelf(folder / "evidence")
    vault = Vault(one.records, clock, Audit(one.records, clock), shelf)
    about = {entity: ['"', "ours"] for entity in COLUMNS}
    step = RunStep(index=0, title_ja="保全", title_en="keep", kind="evidence", about=about)
    run = Run.model_construct(id="r", playbook="storage_exposure", incident_id=incident.id)
    assert Keeping(one.records, events, vault, clock).keep(run, step).en == f"kept {len(COLUMN)} events"
    assert casefile.read(one.records, incident.id)
    return [gzip.decompress(shelf.get(sha)).decode() for sha in shelf.all()]


@pytest.mark.parametrize(("entity", "column"), COLUMN)
def test_events_are_kept_by_every_column(entity: str, column: str, kept: list[str]) -> None:
    """Accesses to an opened bucket, an Azure or OCI thing, traffic of a segment: alerts and events name them differently."""
    assert f"{column}|ours" in kept[0], entity
    assert f"{column}|theirs" not in kept[0]


def test_what_happened_long_ago_is_kept_as_it_was_then(tmp_path: Path) -> None:
    """Logs that came late: around the time of the incident, and what its address does now; not what lies between or before."""
    one, clock = responder(tmp_path)
    incident = one.receive([alert()])[0]
    then = NIGHT - timedelta(days=20)
    assert isinstance(one.records, SqliteRecords)
    held = incident.model_copy(update={"first": then, "last": then + timedelta(minutes=5)})
    one.records.put(casefile.KIND, incident.id, held.model_dump(mode="json"))
    times = {"long before": -80, "before": -71, "then": 0, "between": 200, "now": 20 * 24 - 1}
    rows = {"event.id": list(times), "source.ip": ["203.0.113.66"] * len(times)}
    stamps = [then + timedelta(hours=hours) for hours in times.values()]
    events = ParquetEvents(tmp_path / "events", clock=FixedClock(NIGHT))
    frame = pl.DataFrame(rows).with_columns(pl.Series("@timestamp", stamps).cast(pl.Datetime("ns", "UTC")))
    events.append([Batch("city.mixed", frame, "one")])
    shelf = FolderShelf(tmp_path / "evidence")
    vault = Vault(one.records, clock, Audit(one.records, clock), shelf)
    about = {"source.ip": ["203.0.113.66"]}
    step = RunStep(index=0, title_ja="保全", title_en="keep", kind="evidence", about=about, hours=72)
    run = Run.model_construct(id="r", playbook="malware_endpoint", incident_id=incident.id)
    assert Keeping(one.records, events, vault, clock).keep(run, step).en == "kept 3 events"
    [kept] = [gzip.decompress(shelf.get(sha)).decode() for sha in shelf.all()]
    assert [name for name in times if f'"{name}"' in kept] == ["before", "then", "now"]
