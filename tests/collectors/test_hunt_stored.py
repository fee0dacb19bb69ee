"""Events that a store gave out are hunted as they were stored: every field, id and dataset, and never as somebody's lines."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import orjson
import polars as pl
from polars.testing import assert_frame_equal

from collectors import catalogue
from collectors.hunt_input import HuntInput
from hinomi import ecs
from hinomi.batch import Batch

CAME = datetime(2026, 11, 30, 1, 2, 3, 456789, UTC)
LINES = {
    "fortinet.fortigate": [
        'date=2026-11-30 time=10:00:00 devname="FG" devid="FGT60F" logid="0000000013" type="traffic" subtype="forward" vd="root"'
        ' srcip=10.0.0.1 srcport=50000 dstip=203.0.113.9 dstport=443 action="deny" policyid=7 sentbyte=12 rcvdbyte=34 mystery="x"',
        'date=2026-11-30 time=10:00:01 devname="FG" devid="FGT60F" logid="0100032002" type="event" subtype="system" vd="root"'
        ' action="login" status="failed" user="admin" srcip=198.51.100.7 msg="Administrator admin login failed"',
    ],
    "squid.access": [
        "1795000000.123    456 10.1.2.3 TCP_MISS/200 789 GET http://example.jp/a?b=c t.yamada HIER_DIRECT/203.0.113.5 text/html"
    ],
}


def _batches() -> list[Batch]:
    found = []
    for dataset, lines in LINES.items():
        intake = pl.DataFrame({"message": lines}).with_columns(
            pl.lit(CAME).cast(ecs.TIME).alias("received"), pl.lit(None, pl.String).alias("peer")
        )
        for number, frame in enumerate(catalogue.find(dataset).parse(intake).frames):
            ids = [f"{dataset}-{number}-{row}" for row in range(frame.height)]
            held = frame.drop("row").with_columns(
                pl.Series("event.id", ids),
                pl.Series("event.original", [lines[row] for row in frame["row"]]),
                pl.Series("vendor.many", [f"a{ecs.BETWEEN}b"] * frame.height),
            )
            found.append(Batch.of(dataset, held, ingested=CAME))
    return found


def _read(path: Path) -> tuple[dict[str, list[pl.DataFrame]], HuntInput]:
    reader = HuntInput()
    found: dict[str, list[pl.DataFrame]] = {}
    for batch in reader.batches([path]):
        found.setdefault(batch.dataset, []).append(batch.frame)
    return found, reader


def _same(found: dict[str, list[pl.DataFrame]]) -> None:
    for dataset in LINES:
        stored = pl.concat([one.frame for one in _batches() if one.dataset == dataset], how="diagonal").sort(
            "event.id"
        )
        [read] = found[dataset]
        assert set(read.columns) - set(stored.columns) <= {"log.file.path", "log.offset"}
        held = [name for name in stored.columns if stored[name].null_count() < stored.height]
        assert_frame_equal(read.sort("event.id").select(held), stored.select(held))


def test_each_field_comes_back_in_its_type(tmp_path: Path) -> None:
    """As `hinomi search --export` writes them, two datasets in one file: ids, times to the microsecond, lists, numbers."""
    lines = [orjson.dumps(document) for batch in _batches() for document in ecs.documents(batch.frame)]
    (tmp_path / "export.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    found, reader = _read(tmp_path)
    _same(found)
    assert not reader.ledger.counts and not reader.generic and not reader.damaged


def test_hits_of_elasticsearch_in_an_array_packed(tmp_path: Path) -> None:
    """`_source` of each hit, dotted names, gzip."""
    hits = [
        {"_index": "logs-x", "_id": row["event.id"], "_source": row}
        for batch in _batches()
        for row in ecs.rows(batch.frame)
    ]
    (tmp_path / "hits.json.gz").write_bytes(gzip.compress(orjson.dumps(hits)))
    found, _ = _read(tmp_path)
    _same(found)


def test_what_is_no_event_among_them_is_said(tmp_path: Path) -> None:
    """A line that is none is counted as not understood; the others are read."""
    lines = [orjson.dumps(document) for batch in _batches() for document in ecs.documents(batch.frame)]
    (tmp_path / "export.ndjson").write_bytes(
        b"\n".join([*lines, b'{"event": {"dataset": 5}}', b"cut off {", b""])
    )
    found, reader = _read(tmp_path)
    _same(found)
    assert {line.reason: n for line, n in reader.ledger.counts.items()} == {"not_understood:export.ndjson": 2}


def test_events_keep_their_own_file_and_have_no_invented_time(tmp_path: Path) -> None:
    """The log's own path, which rules ask for; a time that cannot be read is the hunt's, and told from one that was stored;
    signals are no events, a dataset that there is not is not understood."""
    base = {
        "event": {"id": "1", "ingested": "2026-11-30T01:02:03Z", "dataset": "linux.auth", "original": "x"}
    }
    events = [
        {
            **base,
            "@timestamp": "2026-11-30T01:02:02Z",
            "log": {"file": {"path": "/var/log/secure"}, "offset": "7"},
        },
        {**base, "@timestamp": "2026-11-30T01:02:02Z"},
        {**base, "@timestamp": "soon"},
        {
            **base,
            "@timestamp": "2026-11-30T01:02:02Z",
            "event": {**base["event"], "dataset": "hinomi.signal"},
        },
        {**base, "@timestamp": "2026-11-30T01:02:02Z", "event": {**base["event"], "dataset": "../../x"}},
    ]
    path = tmp_path / "export.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, events)) + b"\n")
    found, reader = _read(path)
    [frame] = found["linux.auth"]
    assert frame["log.file.path"].to_list() == ["/var/log/secure", str(path), str(path)]
    assert frame["log.offset"][0] == "7"
    assert (frame["@timestamp"] == frame["event.ingested"]).to_list() == [False, False, True]
    assert set(found) == {"linux.auth"} and reader.passed_over == 1
    assert {line.reason: n for line, n in reader.ledger.counts.items()} == {"not_understood:export.ndjson": 1}


def test_a_line_that_looks_like_one_is_a_line(tmp_path: Path) -> None:
    """Of a dataset that no source has, or without what a store adds: read as any JSON."""
    event = {
        "@timestamp": "2026-11-30T01:02:03Z",
        "event": {"id": "1", "ingested": "2026-11-30T01:02:03Z", "dataset": "nobody.knows"},
    }
    (tmp_path / "a.json").write_bytes(orjson.dumps(event) + b"\n")
    event["event"] = {"dataset": "fortinet.fortigate"}
    (tmp_path / "b.json").write_bytes(orjson.dumps(event) + b"\n")
    found, reader = _read(tmp_path)
    assert set(found) == {"generic.json"} and len(reader.generic) == 2
