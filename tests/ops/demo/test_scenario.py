"""The day as a whole: the same every time, large enough, in order, with all the demo's files."""

import csv
import datetime
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from collectors.enrich import enricher, settings
from ops.demo.clockwork import last_working_day
from ops.demo.scenario import CHANNELS, Manifest, Scenario
from tests.ops.demo.conftest import DATE


def test_same_seed_and_date_give_the_same_bytes(written: Manifest, tmp_path: Path) -> None:
    """Two runs write byte-identical files; another seed does not."""
    again = Scenario(DATE, scale=0.02).write(tmp_path / "again")
    other = Scenario(DATE, seed=2, scale=0.02).write(tmp_path / "other")
    files = sorted(path.relative_to(written.folder) for path in written.folder.rglob("*") if path.is_file())
    assert len(files) == len(CHANNELS) + 5
    for file in files:
        assert (written.folder / file).read_bytes() == (again.folder / file).read_bytes()
    for one, two in zip(written.streams, other.streams, strict=True):
        assert one.path.read_bytes() != two.path.read_bytes()


def test_a_stream_is_the_same_alone_and_in_company() -> None:
    """A source's lines do not depend on which other streams were read before it."""
    alone = list(list(Scenario(DATE, scale=0.01).streams())[3].lines)
    company = [list(stream.lines) for stream in Scenario(DATE, scale=0.01).streams()][3]
    assert alone == company


@pytest.mark.slow
@pytest.mark.xdist_group("ordinary")
def test_a_full_day_is_large_and_mostly_dull(ordinary: dict[str, list[bytes]]) -> None:
    """At scale 1: 200,000 lines and more over twelve sources, most from firewall, proxy, names, Windows."""
    counts = {source: len(lines) for source, lines in ordinary.items()}
    assert sum(counts.values()) >= 200_000
    assert len(counts) == 12
    assert min(counts.values()) >= 100
    busiest = [source for source, _ in Counter(counts).most_common(4)]
    assert set(busiest) == {"fortinet.fortigate", "squid.access", "isc.bind", "windows.eventlog"}


def test_the_attack_is_whole_at_any_scale() -> None:
    """Scaling thins the dull traffic only: planted lines are the same ones."""
    tiny = [asdict(step) for step in Scenario(DATE, scale=0.001).steps()]
    assert tiny == [asdict(step) for step in Scenario(DATE, scale=1).steps()]
    counts = {step.id: step.counts()[step.source] for step in Scenario(DATE, scale=0.001).steps()}
    assert counts["A9"] == 240
    assert counts["B2"] == 64


def test_manifest_counts_what_is_on_disk(written: Manifest) -> None:
    """Each file has as many lines as the manifest says, ends in a newline, and is in its encoding."""
    for stream in written.streams:
        data = stream.path.read_bytes()
        assert data.count(b"\n") == stream.lines > 0
        assert data.endswith(b"\n")
        data.decode(stream.encoding)
    assert written.lines == sum(stream.lines for stream in written.streams)


def test_planted_file_tells_of_every_step(written: Manifest) -> None:
    """planted.json holds A1–A10 and B1–B2 with times in UTC of the Japanese day."""
    planted = json.loads(written.planted.read_text(encoding="utf-8"))
    assert [step["id"] for step in planted] == [*(f"A{n}" for n in range(1, 11)), "B1", "B2"]
    for step in planted:
        start, end = (datetime.datetime.fromisoformat(step[key]) for key in ("start", "end"))
        assert start.utcoffset() == datetime.timedelta(0)
        assert datetime.timedelta(0) < end - start <= datetime.timedelta(minutes=32)
        assert start.astimezone(datetime.timezone(datetime.timedelta(hours=9))).date() == DATE
        assert step["lines"] == step["lines_by_source"][step["source"]] > 0
        assert set(step["entities"]) == {"user", "ip", "host"}
        assert step["title_ja"] != step["title_en"]


def test_lists_load_into_the_enrichment(written: Manifest) -> None:
    """Staff, assets, zones and geo are what `enrich:` of the configuration reads."""
    enrich = settings.EnrichSettings.model_validate(
        {
            "zones": yaml.safe_load(written.zones.read_text(encoding="utf-8"))["zones"],
            "staff": written.staff,
            "assets": written.assets,
            "geo_override": written.geo,
        }
    )
    assert enricher.Enricher.of(enrich).staff.frame.height > 900


def test_staff_are_many_and_distinct(written: Manifest) -> None:
    """About 900 people, no account twice, the story's people among them."""
    with written.staff.open(encoding="utf-8", newline="") as handle:
        rows = {row["account"]: row for row in csv.DictReader(handle)}
    assert 880 <= len(rows) <= 960
    assert rows["t.yamada"]["full_name"] == "山田 太郎"
    assert rows["t.yamada"]["department"] == "市民課"
    assert rows["rpa02"]["employment"] == "ロボット"
    assert {"adm.sato", "adm.ito", "svc_backup", "rpa01", "rpa03"} <= rows.keys()
    assert {row["telework"] for row in rows.values()} == {"yes", "no"}


def test_assets_stand_in_their_zone(written: Manifest) -> None:
    """Addresses are unique and the names of the story have the addresses of the story."""
    with written.assets.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["ip"] for row in rows}) == len({row["host"] for row in rows}) == len(rows)
    known = {row["host"]: row["ip"] for row in rows}
    assert known["dc01"] == "10.30.1.5"
    assert known["srv-juki01"] == "10.10.1.10"
    assert known["srv-file01"] == "10.20.1.20"
    network = {"mynumber": "10.10.", "lgwan": "10.20.", "internet": "10.30.", "dmz": "10.40.0."}
    assert all(row["ip"].startswith(network[row["zone"]]) for row in rows)
    assert all(1 <= int(row["criticality"]) <= 5 for row in rows)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("2026-11-24", "2026-11-20"),
        ("2026-11-20", "2026-11-19"),
        ("2026-05-07", "2026-05-01"),
        ("2027-01-04", "2026-12-28"),
    ],
)
def test_last_working_day_skips_weekends_and_holidays(before: str, expected: str) -> None:
    """23 November is a public holiday after a weekend; Golden Week is longer still, and so is the New Year closing."""
    found = last_working_day(datetime.date.fromisoformat(before))
    assert found == datetime.date.fromisoformat(expected)
