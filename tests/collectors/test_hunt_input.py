"""EVTX files and hunt input: kinds told by content, damage counted, ids that a second run makes again."""

import gzip
from pathlib import Path

import orjson
import polars as pl
import pytest

from collectors.evtx import EvtxFiles
from collectors.file_records import has_lines, head, is_evtx
from collectors.hunt_input import HuntInput
from hinomi.errors import InputError
from tests import shared

LOGON = (
    b'{"EventTime":"2026-11-21 03:44:10","Hostname":"dc01","EventID":4624,"Channel":"Security",'
    b'"SourceName":"Microsoft-Windows-Security-Auditing","TargetUserName":"t.yamada"}'
)
XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Service Control Manager'/><EventID>7045</EventID><Channel>System</Channel></System>"
    "<EventData><Data Name='ServiceName'>{}</Data></EventData></Event>"
)


def _of(path: Path, source: str = "") -> tuple[pl.DataFrame, HuntInput]:
    reader = HuntInput(source=source)
    frames = [batch.frame for batch in reader.batches([path])]
    return (pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()), reader


def _evtx() -> Path:
    """The largest of the corpus: several chunks, so that a hole leaves something."""
    return max(shared.corpus("evtx").rglob("*.evtx"), key=lambda path: path.stat().st_size)


def test_json_lines_of_windows_events(tmp_path: Path) -> None:
    """A file without a telling name: Windows by its content, ids by file and byte offset, again the same."""
    path = tmp_path / "data"
    path.write_bytes(LOGON + b"\n\n" + LOGON + b"\n")
    first, reader = _of(path)
    again, _ = _of(path)
    assert first["event.id"].to_list() == again["event.id"].to_list()
    assert first["event.id"].n_unique() == 2
    assert first["log.offset"].to_list() == ["0", str(len(LOGON) + 2)]
    assert set(first["log.file.path"]) == {str(path)}
    assert first["event.dataset"][0] == "windows.eventlog"
    assert not reader.ledger.counts


def test_containers_of_records(tmp_path: Path) -> None:
    """A JSON array, gzip, UTF-16 with its mark, and an XML export give the same events."""
    (tmp_path / "array.json").write_bytes(b"[" + LOGON + b",\n" + LOGON + b"]")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(LOGON + b"\n" + LOGON))
    (tmp_path / "wide.txt").write_bytes(b"\xff\xfe" + (LOGON.decode() + "\r\n").encode("utf-16-le") * 2)
    (tmp_path / "export.xml").write_text(
        "<?xml version='1.0'?>\n<Events>" + XML.format("A") + XML.format("火の見") + "</Events>",
        encoding="utf-8",
    )
    found, _ = _of(tmp_path)
    counts = dict(found["log.file.path"].value_counts().iter_rows())
    assert {Path(name).name: n for name, n in counts.items()} == {
        "array.json": 2,
        "packed.gz": 2,
        "wide.txt": 2,
        "export.xml": 2,
    }
    assert "火の見" in found["winlog.event_data.ServiceName"].to_list()
    assert found["event.id"].n_unique() == 8


def test_a_pretty_printed_document_is_one_record(tmp_path: Path) -> None:
    """A single object over several lines is read whole."""
    path = tmp_path / "one.json"
    path.write_bytes(orjson.dumps(orjson.loads(LOGON), option=orjson.OPT_INDENT_2))
    found, _ = _of(path)
    assert found["user.name"].to_list() == ["t.yamada"]


def test_what_nobody_recognises_is_counted_by_file(tmp_path: Path) -> None:
    """Unknown text, and a broken line among good ones: counted with the file's name, the rest goes on."""
    (tmp_path / "notes.txt").write_bytes(b"\x00\x01\xff nothing\n")
    (tmp_path / "some.json").write_bytes(LOGON + b'\n{"EventID":4624,"Channel":\n' + LOGON)
    found, reader = _of(tmp_path)
    assert found.height == 2
    reasons = {line.reason for line in reader.ledger.counts}
    assert reasons == {"unknown_format:notes.txt", "not_understood:some.json"}
    assert [damage.path.name for damage in reader.damaged] == ["notes.txt"]


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The error names the path, in Japanese first."""
    with pytest.raises(InputError, match="ありません"):
        _of(tmp_path / "missing")


def test_progress_names_each_file(tmp_path: Path) -> None:
    """The caller can show how far it is."""
    seen: list[tuple[str, int]] = []
    (tmp_path / "a.json").write_bytes(LOGON + b"\n" + LOGON)
    reader = HuntInput(progress=lambda path, n: seen.append((path.name, n)))
    assert sum(map(len, reader.batches([tmp_path]))) == 2
    assert seen == [("a.json", 2)]


def test_evtx_records_have_their_place() -> None:
    """Each record: JSON text, path, place in the file, Windows' own number."""
    path = _evtx()
    frame = pl.concat(list(EvtxFiles(batch=100).read(path)))
    assert frame["log.offset"].to_list() == list(range(frame.height))
    assert frame["winlog.record_id"].n_unique() == frame.height
    assert (
        orjson.loads(frame["message"][0])["Event"]["System"]["EventRecordID"] == frame["winlog.record_id"][0]
    )


def test_a_damaged_evtx_gives_what_can_be_read(tmp_path: Path) -> None:
    """A chunk's header destroyed: the other chunks are read, the loss is told with file and reason."""
    data = _evtx().read_bytes()
    whole = sum(frame.height for frame in EvtxFiles().read(_evtx()))
    hole = tmp_path / "hole.evtx"
    hole.write_bytes(data[: 4096 + 65536] + bytes(600) + data[4096 + 65536 + 600 :])
    reader = EvtxFiles()
    left = sum(frame.height for frame in reader.read(hole))
    assert 0 < left < whole
    [damage] = reader.damaged
    assert (damage.path, damage.lost) == (hole, 1)
    assert "chunk" in damage.reason


def test_an_evtx_without_its_header_is_read(tmp_path: Path) -> None:
    """The file header overwritten: told by its first chunk, nothing lost."""
    data = _evtx().read_bytes()
    path = tmp_path / "headless.bin"
    path.write_bytes(bytes(4096) + data[4096:])
    assert is_evtx(path.read_bytes()[:4104])
    reader = EvtxFiles()
    whole = sum(frame.height for frame in EvtxFiles().read(_evtx()))
    assert sum(frame.height for frame in reader.read(path)) == whole
    assert reader.damaged == []


def test_cut_short_and_empty_evtx_do_not_stop_a_hunt(tmp_path: Path) -> None:
    """A truncated, an empty-bodied and a good file together: what is there is hunted, the damage counted."""
    data = _evtx().read_bytes()
    (tmp_path / "a_cut.evtx").write_bytes(data[: 4096 + 65536 + 1000])
    (tmp_path / "b_bad.evtx").write_bytes(b"ElfFile\x00" + bytes(100))
    (tmp_path / "c_good.evtx").write_bytes(data)
    found, reader = _of(tmp_path)
    assert {Path(name).name for name in found["log.file.path"]} == {"a_cut.evtx", "c_good.evtx"}
    assert [damage.path.name for damage in reader.damaged if damage.path.name == "b_bad.evtx"]
    assert any(line.reason == "damaged:b_bad.evtx" for line in reader.ledger.counts)


def test_the_whole_evtx_corpus_becomes_batches() -> None:
    """Every record of 143 attack samples is in a batch with file, id and code; few frames, quickly."""
    batches = list(HuntInput().batches([shared.corpus("evtx")]))
    records = sum(frame.height for frame in EvtxFiles().read(shared.corpus("evtx")))
    assert sum(map(len, batches)) == records
    for batch in batches:
        assert batch.frame["winlog.event_id"].n_unique() == 1
        assert batch.frame["event.id"].null_count() == 0
        assert batch.frame["log.file.path"].null_count() == 0
    ids = pl.concat([batch.frame["event.id"] for batch in batches])
    assert ids.n_unique() == records


def test_files_of_the_clouds_hold_many_records_in_one_object(tmp_path: Path) -> None:
    """CloudTrail's one line in gzip, and a file of such lines: each record is an event with an id of its own."""
    trail = b'{"eventTime":"2026-11-20T03:12:0%dZ","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","eventType":"AwsApiCall"}'
    records = [trail % n for n in range(3)]
    whole = b'{"Records":[' + b",".join(records) + b"]}"
    (tmp_path / "trail.json.gz").write_bytes(gzip.compress(whole))
    (tmp_path / "lines.json").write_bytes(whole + b"\n" + b'{"Records":[' + records[0] + b"]}\n" + records[1])
    (tmp_path / "pretty.json").write_bytes(b'{\n  "Records": [' + b",\n".join(records) + b"]\n}\n")
    found, reader = _of(tmp_path)
    assert found.height == found["event.id"].n_unique() == 3 + 5 + 3
    assert set(found["event.dataset"]) == {"aws.cloudtrail"}
    assert not reader.ledger.counts


@pytest.mark.parametrize("levels", [101, 300, 900])
@pytest.mark.parametrize("lines", [False, True])
def test_one_record_too_deep_takes_no_other_with_it(tmp_path: Path, levels: int, lines: bool) -> None:
    """Who may write into one record of a file does not take the rest of the file away; the one is counted."""
    good = b'{"eventTime":"2026-11-20T03:12:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","eventType":"AwsApiCall"}'
    deep = good[:-1] + b',"requestParameters":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"
    text = b'{"Records":[' + b",".join([good, deep, good]) + b"]}"
    (tmp_path / "trail.json").write_bytes(text if lines else text.replace(b'{"Records"', b'{\n"Records"'))
    found, reader = _of(tmp_path, "aws.cloudtrail")
    assert found.height == 2
    assert sum(reader.ledger.counts.values()) == 1


def test_a_cut_object_of_records_is_one_line_that_is_not_understood(tmp_path: Path) -> None:
    """A copy that ends in the middle is counted, and does not go round and round."""
    (tmp_path / "cut.json").write_bytes(b'{"Records":[{"eventTime":"2026-11-20T03:12:00Z","eventSource":"ec2')
    found, reader = _of(tmp_path, "aws.cloudtrail")
    assert not found.height
    assert sum(reader.ledger.counts.values()) == 1


ZEEK = """#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tdns
#open\t2026-11-20-00-00-00
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tAA\tanswers\tTTLs
#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tbool\tvector[string]\tvector[interval]
1763600000.123456\tCa1\t10.30.1.5\t5353\t10.30.1.1\t53\tudp\texample\\x2ejp\tF\t192.0.2.1,192.0.2.2\t60.0,-
1763600001.5\tCa2\t10.30.1.5\t5354\t10.30.1.1\t53\tudp\t-\tT\t(empty)\t-
half a row
#close\t2026-11-20-01-00-00
"""


def test_zeek_tables_are_read_by_their_head(tmp_path: Path) -> None:
    """Tab-separated Zeek logs: names and types from the head, sets, escapes, what is unset left out."""
    path = tmp_path / "dns.log"
    path.write_text(ZEEK, encoding="utf-8")
    found, reader = _of(path)
    assert found["event.dataset"].unique().to_list() == ["zeek.log"]
    assert found["source.ip"].to_list() == ["10.30.1.5", "10.30.1.5"]
    assert found["dns.question.name"].to_list() == ["example.jp", None]
    assert found["dns.resolved_ip"].to_list()[0] == ["192.0.2.1", "192.0.2.2"]
    assert found["@timestamp"].dt.microsecond().to_list() == [123456, 500000]
    assert {line.reason for line in reader.ledger.counts} == {"not_understood:dns.log"}  # half a row


def test_a_zeek_table_with_a_mark_or_packed_is_the_same(tmp_path: Path) -> None:
    """A byte-order mark before the head, or gzip around it, changes no record."""
    plain, marked, packed = (tmp_path / name for name in ("dns.log", "marked.log", "dns.log.gz"))
    plain.write_text(ZEEK, encoding="utf-8")
    marked.write_text("\ufeff" + ZEEK, encoding="utf-8")
    packed.write_bytes(gzip.compress(ZEEK.encode()))
    texts = [_of(path)[0]["event.original"].to_list() for path in (plain, marked, packed)]
    assert texts[0] == texts[1] == texts[2] and len(texts[0]) == 2


def test_a_file_of_an_unknown_product_is_named(tmp_path: Path) -> None:
    """JSON of nobody's is read, and the caller can say that a product's rules do not meet it."""
    path = tmp_path / "mine.json"
    path.write_bytes(b'{"foo": 1}\n{"foo": 2}\n')
    found, reader = _of(path)
    assert found.height == 2
    assert reader.generic == {path: "generic.json"}


def test_lines_that_begin_with_a_bracket_are_lines(tmp_path: Path) -> None:
    """Apache's error log begins with `[` and is no JSON array: it is read line by line."""
    path = tmp_path / "error.log"
    path.write_bytes(
        b"[Fri Nov 20 10:00:00.1 2026] [core:error] [pid 1] [client 192.0.2.1:5] AH00126: x\n" * 2
    )
    assert has_lines(head(path))
