"""`hinomi sources`: a mapping proposed from a sample works as it is; mistakes are named; dead letters come in groups."""

from pathlib import Path

import orjson
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from collectors import catalogue, declared
from collectors.pins import pins
from hinomi.errors import InputError
from ops.commands import sources
from ops.dead_letters import groups, likeness, unnamed
from ops.health import SourceHealth
from ops.new_source import drafted, parsed
from tests.ops.test_pipeline import VPN, Tower

app = typer.Typer()
sources.register(app)
LIBRARY = (
    "操作日時,利用者ID,端末IP,操作,冊数,結果,備考欄\n"
    "2026/11/20 12時14分,t.yamada,10.30.8.20,貸出,3,正常,\n"
    "令和8年11月20日 午後1時,H.Sato,10.30.8.21,返却,1,エラー,延滞\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
def test_a_proposed_mapping_reads_its_sample(tmp_path: Path, encoding: str) -> None:
    """Columns, times of two kinds, addresses, words for results and the encoding are found without help."""
    path = tmp_path / "library.csv"
    path.write_bytes(LIBRARY.encode(encoding))
    draft = drafted(path, "city.library", "図書館", "Library")
    assert draft.source.encoding == encoding.replace("_", "-")
    understood, rejected, shown = parsed(draft, 2)
    assert (understood, rejected) == (2, {})
    assert shown[0]["@timestamp"] == "2026-11-20T03:14:00Z"
    assert shown[1]["@timestamp"] == "2026-11-20T04:00:00Z"
    assert [one["event"]["outcome"] for one in shown] == ["success", "failure"]
    assert shown[1]["user"]["name"] == "h.sato"
    assert shown[1]["city"]["library"]["備考欄"] == "延滞", "a column without target is kept"


@pytest.mark.parametrize("quote", ["", '"'])
def test_what_is_proposed_knows_its_lines_without_the_header(tmp_path: Path, quote: str) -> None:
    """`auto` sees the lines of a day, too, where the header was in yesterday's block; other tables are not taken for it."""
    rows = [
        [f"2026/11/20 12:{n:02d}", f"u{n}", f"10.30.8.{n}", ("貸出", "返却")[n % 2], "", "延滞,督促"[: n * 2]]
        for n in range(30)
    ]
    table = [["操作日時", "利用者ID", "端末IP", "操作", "空欄", "備考"], *rows]
    lines = [
        ",".join(f"{quote}{cell}{quote}" if quote or "," not in cell else f'"{cell}"' for cell in row)
        for row in table
    ]
    path = tmp_path / "library.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = drafted(path, "city.library", "図書館", "Library").source
    assert source.fits(pl.Series(lines)).all()
    others = [
        "2026/11/20 12:00,u1,10.30.8.1,貸出",
        "a,b,c,d,e,f",
        lines[1].replace("返却", "予約").replace("貸出", "予約"),
    ]
    assert source.recognised(pl.Series(others)) == 0


@pytest.mark.parametrize(
    "text",
    [
        '[{"time":1763608445,"user":"a","ip":"203.0.113.9"},{"time":1763608446,"user":"b","ip":"203.0.113.9"}]',
        '[\n  {\n    "time": 1763608445,\n    "user": "a"\n  },\n  {"time": 1763608446, "user": "b"}\n]\n',
        '{"Records":[{"time":1763608445,"user":"a"},{"time":1763608446,"user":"b"}]}',
    ],
)
def test_usual_exports_are_samples(tmp_path: Path, text: str) -> None:
    """Arrays in one line or many, and what AWS and Azure put around one: what the folder reads, the proposal does."""
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    draft = drafted(path, "city.export", "出力", "Export")
    assert draft.sample.form == "json" and set(draft.sample.columns) >= {"time", "user"}
    understood, rejected, _ = parsed(draft, 0)
    assert (understood, rejected) == (2, {})


def test_a_value_that_is_too_long_for_a_table_is_said(tmp_path: Path) -> None:
    """As a sentence, not as a traceback."""
    path = tmp_path / "long.csv"
    path.write_text("a,b\n1," + "x" * 140_000 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="131,072"):
        drafted(path, "city.long", "長い", "Long")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('{"time":1763608445,"actor":{"login":"t.yamada"},"ip":"203.0.113.9","result":"success"}\n' * 3, "user"),
        ("time=2026-11-20T03:14:05Z user=t.yamada src=203.0.113.9 result=failed\n" * 3, "user"),
        ("CEF:0|Maker|Box|1|7|Login|5|rt=1763608445000 suser=t.yamada src=203.0.113.9 outcome=success\n" * 3, "user"),
        ("2026-11-20 12:14:05\tt.yamada\t203.0.113.9\tok\n" * 3, "source"),
    ],
)  # fmt: skip
def test_every_form_is_recognised(tmp_path: Path, text: str, column: str) -> None:
    """JSON, key=value, CEF and tables without a header become events with a time and an address."""
    path = tmp_path / "sample.log"
    path.write_text(text, encoding="utf-8")
    understood, rejected, shown = parsed(drafted(path, "city.sample", "見本", "Sample"), 1)
    assert (understood, rejected) == (3, {})
    assert shown[0]["source"]["ip"] == "203.0.113.9" and column in shown[0]
    assert shown[0]["@timestamp"][:4] in {"2025", "2026"}


def test_files_without_a_form_are_refused_with_a_sentence(tmp_path: Path) -> None:
    """No stack trace, no empty mapping; a file that is there is not written over."""
    for name, data in {"empty": b"", "binary": b"\x00\x01", "prose": "ただの文章です\n".encode()}.items():
        path = tmp_path / name
        path.write_bytes(data)
        result = CliRunner().invoke(app, ["sources", "new", str(path), "--name", "city.x"])
        assert result.exit_code != 0 and str(path) in str(result.exception)
    sample = tmp_path / "library.csv"
    sample.write_text(LIBRARY, encoding="utf-8")
    arguments = ["sources", "new", str(sample), "--name", "city.library", "--out", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert declared.load(tmp_path / "city_library.source.yml").name == "city.library"
    assert "上書き" in str(CliRunner().invoke(app, arguments).exception)


@pytest.mark.parametrize("name", ["library", "City.library", "city.library.x", "city-hall.x", ""])
def test_a_bad_name_is_told_as_it_was_given(tmp_path: Path, name: str) -> None:
    """By the option, with an example: no file that nobody wrote, no pattern."""
    path = tmp_path / "library.csv"
    path.write_text(LIBRARY, encoding="utf-8")
    with pytest.raises(InputError, match=r"例: city\.library") as caught:
        drafted(path, name, "図書館", "Library")
    told = str(caught.value)
    assert told.startswith("--name: ") and "proposed" not in told and "a-z" not in told


def test_the_linter_names_line_and_key_and_runs_the_tests_beside(tmp_path: Path) -> None:
    """A field that ECS has not is an error with its line; a case that fails is shown."""
    good = tmp_path / "city_library.source.yml"
    sample = tmp_path / "library.csv"
    sample.write_text(LIBRARY, encoding="utf-8")
    good.write_text(drafted(sample, "city.library", "図書館", "Library").text, encoding="utf-8")
    (tmp_path / "city_library.test.yml").write_text(
        "- name: 貸出\n  raw: '2026/11/20 12時14分,t.yamada,10.30.8.20,貸出,3,正常,'\n"
        "  ecs: {user.name: t.yamada, event.outcome: failure}\n",
        encoding="utf-8",
    )
    bad = tmp_path / "city_bad.source.yml"
    bad.write_text(
        good.read_text(encoding="utf-8").replace("user.name", "user.nane").replace("library", "bad"),
        encoding="utf-8",
    )
    result = CliRunner().invoke(app, ["sources", "check", str(tmp_path)])
    assert result.exit_code == 1
    assert "city_bad.source.yml:" in result.output and "user.name" in result.output
    assert "event.outcome: 'success' (expected 'failure')" in result.output


def test_dead_letters_come_in_groups_and_unnamed_fields_are_listed(tmp_path: Path) -> None:
    """Lines that differ in numbers only are one group with its count; a vendor's new field is not lost unseen."""
    tower = Tower(tmp_path, fw="fortinet.fortigate")
    odd = [f"something else {n} from 203.0.113.{n}" for n in range(5)]
    tower.send(*odd, VPN.replace('vd="root"', 'vd="root" brandnewfield="x1"'))
    found = groups(tower.events)
    assert [(one.count, one.source) for one in found] == [(5, "fortinet.fortigate")]
    assert len(found[0].samples) == 3 and found[0].samples[0] == odd[0]
    assert not groups(tower.events, "another")
    names = {one.name: one.sample for one in unnamed(tower.events)}
    assert names["fortinet.fortigate.brandnewfield"] == "x1"
    assert not [name for name in names if name.startswith(("hinomi.", "source.", "event."))]


def test_the_command_shows_both(tmp_path: Path) -> None:
    """`sources doctor --json` on a data folder; `sources list` finds by a word of the title."""
    tower = Tower(tmp_path)
    tower.send("nothing that we know 1", "nothing that we know 2")
    tower.events.close()
    result = CliRunner().invoke(app, ["sources", "doctor", "--data", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    assert orjson.loads(result.stdout)["dead_letters"][0]["count"] == 2
    assert "yamaha.rt" in CliRunner().invoke(app, ["sources", "list", "YAMAHA"]).output


def test_lines_are_alike_without_their_numbers() -> None:
    """Times, addresses, identities and quoted text do not tell two groups apart; words do."""
    assert likeness('a 12 10.0.0.1 "x y"') == likeness('a 999 192.0.2.7 "z"')
    assert likeness("login 1") != likeness("logout 1")


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
def test_the_encoding_of_a_declared_mapping_is_used(tmp_path: Path, encoding: str) -> None:
    """Where the listener names none, the mapping's encoding decides, even for a text that another fits, too."""
    sample = tmp_path / "library.csv"
    sample.write_bytes(LIBRARY.encode(encoding))
    source = drafted(sample, "city.library", "図書館", "Library").source
    catalogue.sources()[source.name] = source
    try:
        tower = Tower(tmp_path, library=source.name)
        line = "2026/11/20 12時14分,t.yamada,10.30.8.20,ﾃｽﾄ,3,正常,"
        tower.send(line.encode(encoding), origin="library")
        row = tower.events.search("", datasets=[source.name]).rows[0]
        assert row["event.action"] == "ﾃｽﾄ"
    finally:
        del catalogue.sources()[source.name]


def test_pins_are_shown_and_removed_by_commands(tmp_path: Path) -> None:
    """The list, the doctor with what only a general form was found for, and unpin, which is in the audit log."""
    tower = Tower(tmp_path / "data")
    tower.pipeline.health = SourceHealth(tower.records, "w")
    tower.send(VPN, peer="10.0.0.2", prefix="a")
    tower.send("<30>Nov 20 11:59:00 web01 systemd[1]: Started Session 12.", origin="relay", prefix="b")
    tower.pipeline.health.save()
    data = ["--data", str(tmp_path / "data")]
    runner = CliRunner()
    listed = runner.invoke(app, ["sources", "pins", *data, "--origin", "fw"])
    assert "10.0.0.2" in listed.stdout and "fortinet.fortigate" in listed.stdout, listed.output
    told = orjson.loads(runner.invoke(app, ["sources", "doctor", *data, "--json"]).stdout)
    assert [pin["source"] for pin in told["pins"]] == ["fortinet.fortigate"]
    assert told["in_general"] == [{"origin": "relay", "source": "generic.syslog", "lines": 1}]
    done = runner.invoke(app, ["sources", "unpin", *data, "--origin", "fw", "--peer", "10.0.0.2"])
    assert done.exit_code == 0 and not pins(tower.records)
    assert [one.body["target"] for one in tower.records.find("audit", {"action": "sources.unpin"})] == ["fw"]
    again = runner.invoke(app, ["sources", "unpin", *data, "--origin", "fw"])
    assert isinstance(again.exception, InputError)
