"""What keeps the pages quick with many records: followers read what changed, and the benchmark runs in a small form."""

import gc
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.console.filling import Size, fill
from benchmarks.console.run import main
from dashboards.console.docket import docket
from dashboards.console.following import Lately
from dashboards.console.loudness import loudness
from dashboards.records_apart import RecordsApart
from hinomi.incident import Status, Verdict
from hinomi.store import Span
from tests.dashboards.browse import browser
from tests.dashboards.city import ALERTS, INCIDENTS, NOW, City, seeded_city


def test_docket_follows_what_changes(own_city: City) -> None:
    """A new incident, a changed one and its number are seen at the next look, through the same docket."""
    held = docket(own_city.records)
    before = {entry.incident.number for entry in held.entries()}
    new = INCIDENTS[1].model_copy(update={"id": "new", "number": 77, "title_ja": "新しい"})
    own_city.records.put("incident", new.id, new.model_dump(mode="json"))
    changed = INCIDENTS[0].model_copy(update={"status": Status.CLOSED, "verdict": Verdict.BENIGN})
    own_city.records.put("incident", changed.id, changed.model_dump(mode="json"))
    assert {entry.incident.number for entry in held.entries()} == before | {77}
    assert held.entries()[0].incident.number == 77
    found = held.numbered(1)
    assert found is not None and found.status is Status.CLOSED


def test_loudness_is_what_counting_all_gives(own_city: City) -> None:
    """Alerts, last alert and verdicts a rule equal a count over all records; old alerts are left out."""
    start = NOW - timedelta(days=30)
    old = ALERTS[0].model_copy(update={"id": "old", "detected": start - timedelta(seconds=1)})
    twin = ALERTS[0].model_copy(update={"id": "twin", "detected": NOW})
    for alert in (old, twin):
        own_city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    judged = INCIDENTS[0].model_copy(update={"status": Status.CLOSED, "verdict": Verdict.FALSE_POSITIVE})
    own_city.records.put("incident", judged.id, judged.model_dump(mode="json"))
    found = loudness(own_city.records).since(start)
    spray = found[ALERTS[0].rule_id]
    assert (spray.alerts, spray.last, dict(spray.verdicts)) == (2, NOW, {"false_positive": 2})
    assert sum(volume.alerts for volume in found.values()) == len(ALERTS) + 1
    own_city.records.put("alert", "third", twin.model_copy(update={"id": "third"}).model_dump(mode="json"))
    assert loudness(own_city.records).since(start)[ALERTS[0].rule_id].alerts == 3


def test_what_is_kept_of_a_store_goes_with_it(own_city: City) -> None:
    """Neither the docket nor the loudness of a view keeps the view: each report of an organisation makes one."""
    view = RecordsApart(own_city.records, frozenset({"higashi"}))
    gone = weakref.ref(view)
    assert docket(view) is docket(view) and docket(view).entries() == ()
    assert loudness(view) is loudness(view) and loudness(view).since(NOW) == {}
    del view
    gc.collect()
    assert gone() is None


def test_lately_finds_out_once() -> None:
    """Within its seconds the answer is kept, by key; after them it is found anew."""
    asked: list[int] = []
    kept: Lately[int] = Lately(60)
    assert [kept.get("a", lambda: asked.append(1) or len(asked)) for _ in range(3)] == [1, 1, 1]
    assert kept.get("b", lambda: 9) == 9
    none: Lately[int] = Lately(-1)
    assert [none.get("a", lambda: asked.append(1) or len(asked)) for _ in range(2)] == [2, 3]


def test_newest_files_suffice(own_city: City) -> None:
    """A search that is answered from the newest files gives the same rows as one that reads all of them."""
    span = Span(datetime(2026, 1, 1, tzinfo=UTC), None)
    for limit in (1, 5, 60, 1000):
        rows = own_city.events.search(span=span, limit=limit).rows
        times = [row["@timestamp"] for row in rows]
        every = sorted(
            (row["@timestamp"] for page in own_city.events.pages(span=span) for row in page), reverse=True
        )
        assert times == every[:limit]


def test_incident_of_many_alerts_reads_the_gravest(tmp_path: Path) -> None:
    """Of 25 alerts the gravest few come with events; each other one leads to its own, which are then there."""
    city = seeded_city(tmp_path)
    fill(city, tmp_path, Size(2_000, 50), [("r-1", "city.rule", "規則")])
    page = browser(city, "m.kato").get("/incidents/100").text
    assert page.count("<article") == 25
    assert page.count('<div class="event">') < 25
    assert '<div class="event">' in browser(city, "m.kato").get("/incidents/100?alert=b0-24").text
    city.events.close()
    city.records.close()


@pytest.mark.slow
def test_benchmark_in_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark fills a small store, asks each page of a real server, and prints a figure for each."""
    size = ["--events", "20000", "--alerts", "500", "--users", "4", "--rounds", "1"]
    with pytest.raises(SystemExit):
        main([*size, "--seconds", "4", "--pause", "0.5", "--folder", str(tmp_path)])
    said = capsys.readouterr().out
    for page in ("queue", "incident", "search", "sources", "rules", "compliance", "summary"):
        assert f"burst {page}" in said
    assert "shift queue" in said
