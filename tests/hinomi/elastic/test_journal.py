"""The journal on a real cluster: who adds to it after a long silence, and who reads a copy that lags."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hinomi.store.elastic import journal
from hinomi.store.elastic.bulk import Item
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.journal import Journal
from hinomi.store.elastic.records import ElasticRecords
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)


def _records(folder: Path) -> ElasticRecords:
    events = ElasticEvents(elastic.client(), elastic.namespace(folder))
    events.prepare(replicas=0)
    events.close()
    return ElasticRecords(elastic.client(), elastic.namespace(folder))


def _item(name: str) -> Item:
    return Item("an-index", name, b"")


def test_a_writer_that_was_quiet_finds_the_end(tmp_path: Path) -> None:
    """However many entries others have added since its last, it asks a handful of times, and numbers have no gap."""
    quiet, busy = _records(tmp_path), _records(tmp_path)
    quiet.append("audit", {"who": "quiet"})
    for number in range(40):
        busy.append("audit", {"n": number})
    asked, ask = list[str](), quiet._client.transport.perform_request

    def counted(method: str, target: str, **named: Any) -> Any:
        asked.append(f"{method} {target}")
        return ask(method, target, **named)

    quiet._client.transport.perform_request = counted  # type: ignore[method-assign]
    quiet.append("audit", {"who": "quiet"})
    assert len(asked) <= 5, asked
    assert [int(one.id) for one in busy.find("audit")] == list(range(1, 43))
    quiet.close()
    busy.close()


def test_an_entry_that_a_copy_has_not_got_yet_is_waited_for(tmp_path: Path) -> None:
    """Reading stops in front of the gap and goes on when it is filled; one that stays is said once and passed over."""
    records, now = _records(tmp_path), [1_000.0]
    held = Journal(records, monotonic=lambda: now[0])
    for name in "abcde":
        held.add("hinomi.signal", [_item(name)])
    client, index = records._client, records._index("journal_hinomi.signal")
    missing = client.get(index=index, id="000000000003")["_source"]
    client.delete(index=index, id="000000000003", refresh=True)
    assert [number for number, _ in held.since("hinomi.signal", 0)] == [1, 2]
    client.index(index=index, id="000000000003", document=missing, refresh=True)
    assert [number for number, _ in held.since("hinomi.signal", 2)] == [3, 4, 5]
    client.delete(index=index, id="000000000004", refresh=True)
    assert [number for number, _ in held.since("hinomi.signal", 2)] == [3]
    now[0] += journal._LAG
    with capture_logs() as told:
        for _ in range(2):
            assert [number for number, _ in held.since("hinomi.signal", 2)] == [3, 5]
    assert [(one["event"], one["number"]) for one in told] == [("journal_entry_missing", 4)]
    records.close()


def test_nothing_is_missing_where_nothing_came(tmp_path: Path) -> None:
    """A journal that has no entry behind the place has none to wait for."""
    records = _records(tmp_path)
    held = Journal(records)
    assert list(held.since("hinomi.signal", 0)) == []
    held.add("hinomi.signal", [_item("a")])
    assert list(held.since("hinomi.signal", 1)) == []
    records.close()


@pytest.mark.parametrize("behind", [0, 1])
def test_entries_are_in_order(tmp_path: Path, behind: int) -> None:
    """Each entry once, with its number."""
    records = _records(tmp_path)
    held = Journal(records)
    for name in "ab":
        held.add("hinomi.signal", [_item(name)])
    assert [places[0][1] for _, places in held.since("hinomi.signal", behind)] == list("ab")[behind:]
    records.close()
