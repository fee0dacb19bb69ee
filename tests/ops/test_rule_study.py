"""`hinomi rules lint | draft | backtest | convert | coverage` as a person runs them."""

import json
from datetime import timedelta
from pathlib import Path

import orjson
import polars as pl
import pytest
import yaml

from hinomi import ecs
from hinomi.batch import Batch
from ops.folders import packs_folder
from ops.opened import opened, remember
from rules.engine import logsource
from tests.ops.test_rule_commands import run

TELEWORK = packs_folder() / "telework"
LINE = 'date=2026-11-20 time=03:12:09 action="ssl-login-fail"'


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with eight refused sign-ins from one address, today."""
    monkeypatch.setenv("HINOMI_CACHE", str(tmp_path / "cache"))
    folder, config = tmp_path / "data", tmp_path / "hinomi.yaml"
    config.write_text(f"rules: {{packs: false, folders: [{TELEWORK}]}}\n", encoding="utf-8")
    with opened(folder, make=True, config=config) as place:
        remember(folder, config)
        now = place.clock.now()
        frame = pl.DataFrame(
            {
                "@timestamp": pl.Series([now - timedelta(minutes=n) for n in range(8)]).cast(ecs.TIME),
                "event.id": [f"e{n}" for n in range(8)],
                "event.action": ["ssl-login-fail"] * 8,
                "user.name": [f"user{n}" for n in range(8)],
                "source.ip": ["203.0.113.9"] * 8,
                "event.original": [LINE] * 8,
            }
        )
        place.events.append([Batch.of("fortinet.fortigate", frame, ingested=now)])
    return folder


def test_backtest(data: Path) -> None:
    """One alert is told with its address and the cost; the JSON holds it whole; nothing is stored."""
    asked = ("backtest", str(TELEWORK / "vpn_spray.yml"), "--data", str(data), "--days", "2")
    code, said = run(*asked)
    assert code == 0, said
    assert "203.0.113.9" in said and "8人" in said and "CPU" in said
    body = json.loads(run(*asked, "--json")[1])
    assert [one["rule_name"] for one in body["alerts"]] == ["vpn_spray"]
    assert sum(day["signals"] for day in body["days"]) == 8
    assert body["samples"][0]["event.original"] == LINE
    assert json.loads(run(*asked, "--until", "2020-01-01", "--json")[1])["alerts"] == []
    with opened(data) as place:
        assert [one.name for one in place.events.datasets()] == ["fortinet.fortigate"]
    code, said = run("backtest", "nothing-of-that-name", "--data", str(data))
    assert code == 1 and "nothing-of-that-name" in said


def test_draft_from_the_store_and_from_a_file(data: Path, tmp_path: Path) -> None:
    """By event id, and by a JSON document on standard input; written with a test beside, never over another file."""
    code, said = run("draft", "e3", "--data", str(data), "--author", "h.sato")
    made = yaml.safe_load(said)
    assert code == 0 and made["author"] == "h.sato"
    assert made["detection"]["selection"]["event.action" if "event.action" in said else "action"]
    document = tmp_path / "event.json"
    document.write_bytes(
        orjson.dumps({"event": {"dataset": "squid.access"}, "url": {"domain": "bad.example.jp"}})
    )
    out = tmp_path / "bad_example_site.yml"
    assert run("draft", str(document), "--out", str(out))[0] == 0
    assert run("test", str(out))[1].strip().endswith("1 passed, 0 failed")
    assert "few_tests" in run("lint", str(out))[1]
    assert run("draft", str(document), "--out", str(out))[0] == 1
    assert json.loads(run("draft", str(document), "--json")[1])["matches"] is True
    assert run("draft", "no-such-event", "--data", str(data))[0] == 1
    document.write_text("{}", encoding="utf-8")
    assert "--dataset" in run("draft", str(document))[1]


def test_lint_exit_codes(tmp_path: Path) -> None:
    """0 for nothing, 0 for warnings unless strict, 1 for errors; findings as JSON."""
    assert run("lint", str(TELEWORK / "vpn_spray.yml"))[0] == 0
    loose = tmp_path / "loose_rule_file.yml"
    loose.write_text(
        "title: x\nlogsource: {product: hinomi}\ndetection: {a: {f: x}, condition: a}\n", encoding="utf-8"
    )
    code, said = run("lint", str(loose), "--json")
    found = json.loads(said[: said.rindex("]") + 1])  # what it exits with stands behind
    assert code == 1 and {"no_test", "what_to_do_ja"} <= {one["key"] for one in found}
    assert all(one["ja"] and one["en"] for one in found)
    assert run("lint", str(loose), "--public")[0] in (0, 1)
    assert run("lint", str(loose), "--public", "--strict")[0] == 1


def test_convert(tmp_path: Path) -> None:
    """The query on standard output, where it looks on standard error; a wrong target is an error in words."""
    code, said = run("convert", "vpn_spray", "-t", "esql", "--rules", str(TELEWORK))
    assert code == 0 and 'event.action=="ssl-login-fail"' in said
    found = json.loads(run("convert", "vpn_spray", "-t", "esql", "--rules", str(TELEWORK), "--json")[1])
    assert found[0]["datasets"] == ["fortinet.fortigate"]
    routes = logsource.read().routes({"product": "vpn", "service": "refused"})
    assert [one["datasets"] for one in found] == [[route.dataset] for route in routes]
    code, said = run("convert", "vpn_spray", "-t", "spl", "--rules", str(TELEWORK))
    assert code == 1 and "lucene" in said


def test_coverage(data: Path, tmp_path: Path) -> None:
    """What rules look for and our sources could feed; with a data folder, what arrives; as a Navigator layer."""
    code, said = run("coverage", "--rules", str(TELEWORK))
    assert code == 0 and "T1110.003" in said
    out = tmp_path / "layer.json"
    assert run("coverage", "--data", str(data), "--layer", str(out))[0] == 0
    layer = json.loads(out.read_bytes())
    assert (layer["versions"]["layer"], layer["domain"]) == ("4.5", "enterprise-attack")
    scores = {one["techniqueID"]: one["score"] for one in layer["techniques"]}
    assert scores["T1110.003"] >= 1
    assert run("coverage", "--data", str(data), "--rules", str(TELEWORK))[0] == 1
