"""`hinomi rules import | disable | enable | lock | hygiene` on a data folder, as a person runs them."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from hinomi import clock
from hinomi.clock import SystemClock
from hinomi.errors import Conflict, InputError, StoreError
from ops import approval, rule_hygiene, schedule
from ops.commands import rules as command
from ops.opened import opened
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings
from ops.watch import LiveRules
from rules import decided
from rules.choice import Choice
from rules.in_force import InForce
from rules.selector import Selector
from rules.settings import RulesSettings
from tests.rules.engine import rulebook


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder."""
    monkeypatch.setenv("HINOMI_CACHE", str(tmp_path / "cache"))
    with opened(tmp_path / "data", make=True):
        return tmp_path / "data"


def run(*arguments: str) -> tuple[int, str]:
    """One command: its exit code (1 for an error in words) and what it printed."""
    app = typer.Typer()
    command.register(app)
    done = CliRunner().invoke(app, ["rules", *arguments])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


def rule(number: int, **more: Any) -> dict[str, Any]:
    """A rule of its own id."""
    detection = {"sel": {"f": more.pop("value", "x")}, "condition": "sel"}
    return rulebook.rule(
        detection, **{"title": f"Rule {number}", "id": f"{number}1111111-2222-4333-8444-555555555555", **more}
    )


def release(path: Path, *rules: dict[str, Any], inside: str = "sigma/rules/") -> Path:
    """A release zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sigma/README.md", "not a rule")
        for one in rules:
            archive.writestr(f"{inside}{one['id']}.yml", yaml.safe_dump(one))
    return path


def titles(data: Path) -> list[str]:
    """What runs beside the packs."""
    source = InForce.of(RulesSettings(packs=False), data, data)
    return sorted(one.title for one in source.load().rules)


def test_import_shows_first_and_lives_after(data: Path, tmp_path: Path) -> None:
    """Nothing runs before --yes; a second release shows what is new, changed and gone; the audit log has both."""
    first = release(tmp_path / "1.zip", rule(1), rule(2))
    asked = ("import", str(first), "--data", str(data), "--release", "r1")
    code, said = run(*asked)
    assert (code, titles(data)) == (0, [])
    assert "added 2, changed 0, removed 0" in said
    assert hashlib.sha256(first.read_bytes()).hexdigest() in said
    assert run(*asked, "--yes")[0] == 0
    assert titles(data) == ["Rule 1", "Rule 2"]
    second = release(tmp_path / "2.zip", rule(2, value="y"), rule(3))
    code, said = run("import", str(second), "--data", str(data), "--release", "r2", "--yes")
    assert "added 1, changed 1, removed 1" in said
    assert titles(data) == ["Rule 2", "Rule 3"]
    manifest = json.loads((data / "rules/imported/sigmahq/manifest.json").read_text())
    assert (manifest["version"], manifest["sha256"]) == (
        "r2",
        hashlib.sha256(second.read_bytes()).hexdigest(),
    )
    with opened(data) as place:
        actions = [one.body["action"] for one in place.records.find("audit")]
        assert actions.count("rules.import") == 2
        assert place.desk.audit.verify() == []


def test_what_is_first_imported_lives_while_the_tower_runs(data: Path, tmp_path: Path) -> None:
    """A process that started before there was an import or an exception has them without a restart; an import that was cut
    off between the old and the new leaves the old in force."""
    live = LiveRules(InForce.of(RulesSettings(packs=False), data, data), tmp_path / "cache", every=0.0)
    assert live().rules == []
    source = release(tmp_path / "1.zip", rule(1))
    assert run("import", str(source), "--data", str(data), "--release", "1", "--yes")[0] == 0
    assert [one.title for one in live().rules] == ["Rule 1"]
    exceptions = data / "rules/exceptions"
    exceptions.mkdir()
    held = {"rules": "any", "sel": {"g": "x"}, "condition": "not sel"}
    document = {"title": "Exception", "logsource": {"product": "any"}, "filter": held}
    (exceptions / "one.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert [one.title for one in live().filters] == ["Exception"]
    folder = data / "rules/imported/sigmahq"
    (folder / "live").rename(folder / "before")
    assert [one.title for one in live().rules] == ["Rule 1"]


def test_import_of_a_folder_and_a_wrong_hash(data: Path, tmp_path: Path) -> None:
    """A folder is hashed by its rules; a hash that differs takes nothing in."""
    folder = tmp_path / "own"
    rulebook.rules(folder, rule(1))
    asked = ("import", str(folder), "--data", str(data), "--release", "1", "--name", "own")
    code, said = run(*asked, "--sha256", "0" * 64, "--yes")
    assert code == 1
    assert "differs" in said
    assert titles(data) == []
    found = run(*asked)[1].split("SHA-256 ")[1].split()[0]
    assert run(*asked, "--sha256", found, "--yes")[0] == 0
    assert titles(data) == ["Rule 1"]


@pytest.mark.parametrize("inside", ["../", "/etc/", "a/../../", "C:\\", "..\\"])
def test_a_zip_cannot_write_elsewhere(data: Path, tmp_path: Path, inside: str) -> None:
    """A name that leads outside refuses the whole zip, and no file is left anywhere."""
    bad = release(tmp_path / "bad.zip", rule(1), inside=inside)
    code, said = run("import", str(bad), "--data", str(data), "--release", "1", "--yes")
    assert code == 1
    assert "outside" in said
    assert not list(tmp_path.rglob("*.yml"))


def test_no_zip(data: Path, tmp_path: Path) -> None:
    """Anything else says so in words."""
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK no")
    assert "no readable zip" in run("import", str(path), "--data", str(data), "--release", "1")[1]


def test_switching(data: Path, tmp_path: Path) -> None:
    """Off by level, on again by id, with who and why; nothing asked for, or no such key, is an error in words."""
    source = release(tmp_path / "1.zip", rule(1, level="low"), rule(2, level="low"), rule(3))
    run("import", str(source), "--data", str(data), "--release", "1", "--yes")
    why = ("--owner", "h.sato", "--reason", "試行中", "--data", str(data))
    assert run("disable", "--level", "low", "--path", "*/imported/*", *why)[0] == 0
    assert titles(data) == ["Rule 3"]
    assert run("enable", "--id", "11111111-*", *why, "--until", "2999-01-01")[0] == 0
    assert titles(data) == ["Rule 1", "Rule 3"]
    kept = yaml.safe_load((data / "rules/choice.yml").read_text(encoding="utf-8"))
    assert kept["disable"][0]["owner"] == "h.sato"
    for wrong in (
        ("disable",),
        ("disable", "--logsource", "vendor=x"),
        ("disable", "--id", "a", "--until", "soon"),
    ):
        assert run(*wrong, *why)[0] == 1


def test_lock(data: Path, tmp_path: Path) -> None:
    """What was approved and runs is as approved; changed, added and gone are named and exit 1."""
    source = release(tmp_path / "1.zip", rule(1), rule(2))
    run("import", str(source), "--data", str(data), "--release", "1", "--yes")
    assert "nothing has been approved" in run("lock", "--verify", "--data", str(data))[1]
    assert run("lock", "--data", str(data))[0] == 0
    code, said = run("lock", "--verify", "--data", str(data))
    assert (code, "as approved" in said) == (0, True)
    source = release(tmp_path / "2.zip", rule(2, value="y"), rule(3))
    run("import", str(source), "--data", str(data), "--release", "2", "--yes")
    code, said = run("lock", "--verify", "--data", str(data))
    assert code == 1
    told = {line[line.index("Rule ") :][:6]: line for line in said.splitlines() if "Rule " in line}
    assert "does not run" in told["Rule 1"]
    assert "changed" in told["Rule 2"]
    assert "without approval" in told["Rule 3"]
    process = Role("respond", data, Settings(rules=RulesSettings(packs=False)), RunDir.of(data))
    assert schedule.verify_rules(process, process.records()) >= 3


def test_the_approval_itself_is_watched(data: Path) -> None:
    """A lock file that is another than the audit log has, is none, or is gone is told, and no check passes silently."""
    assert run("lock", "--data", str(data))[0] == 0
    path, verify = data / "rules/lock.json", ("lock", "--verify", "--data", str(data))
    good = path.read_bytes()
    assert run(*verify)[0] == 0
    for written, said in ((good + b" ", "not the one"), (b"[]", "no lock file"), (b"{}", "another release")):
        path.write_bytes(written)
        code, told = run(*verify)
        assert (code, said in told) == (1, True)
    rows = json.loads(good)["approved"]
    for forged in ({"id": None}, {"id": [1]}, {"kind": "zzz"}, {"ended": True}, {"sha256": 1}):
        path.write_text(json.dumps({"format": 2, "approved": [{**rows[0], **forged}, *rows[1:]]}))
        code, told = run(*verify)
        assert (code, "not the one" in told, "no lock file" in told) == (1, True, True), forged
    path.unlink()
    path.mkdir()
    assert "not the one" in run(*verify)[1]
    path.rmdir()
    code, told = run(*verify)
    assert (code, "is gone" in told) == (1, True)
    path.write_bytes(good)
    assert run(*verify)[0] == 0


def test_a_lock_that_is_not_shared_or_not_noted(data: Path) -> None:
    """Where another machine was quicker, the approval before it holds; where the audit log cannot be written, it is told."""
    feeds = {"x": {"kind": "document", "url": "https://example.net/list"}}
    settings = Settings.model_validate({"rules": {"packs": False}, "indicators": {"feeds": feeds}})
    path, at = data / "rules/lock.json", datetime(2026, 11, 20, tzinfo=UTC)

    def outrun(act: Callable[[], tuple[int, str]]) -> tuple[int, str]:
        before = path.read_bytes()
        act()
        path.write_bytes(before)
        raise Conflict("先に変わりました。", "outrun")

    with opened(data) as place:
        audit = place.desk.audit
        approval.approve(settings, data, audit, by="a", at=at)
        assert approval.unlike(settings, data, place.records) == []
        elsewhere = Settings(rules=RulesSettings(packs=False))  # a machine that fetches no lists
        assert approval.unlike(elsewhere, data, place.records) == []
        with pytest.raises(Conflict):
            approval.approve(settings, data, audit, by="b", at=at, carried=outrun)
        assert approval.unlike(settings, data, place.records) == []
        with pytest.MonkeyPatch.context() as patch, pytest.raises(StoreError):
            patch.setattr(type(audit), "append", _away)
            approval.approve(settings, data, audit, by="c", at=at)
        [told] = approval.unlike(settings, data, place.records) or []
        assert "not the one" in told.said.en
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(approval, "ACTION", "rules.unlike")
            [told] = approval.unlike(settings, data, place.records) or []
            assert "no such approval" in told.said.en


def _away(*_: object, **__: object) -> None:
    raise StoreError("届きません。", "away")


def test_hygiene(data: Path, tmp_path: Path) -> None:
    """Silent, noisy and unfed rules, exceptions nobody owns, and what has ended."""
    folder = tmp_path / "rules"
    quiet, loud = rule(1), rule(2)
    unfed = rule(3, logsource={"product": "plan9"})
    exception = {
        "title": "Nobody's",
        "logsource": {"product": "any"},
        "filter": {"rules": [quiet["id"]], "sel": {"user.name": "x"}, "condition": "not sel"},
    }
    loaded = rulebook.rules(folder, quiet, loud, unfed, exception)
    batch = rulebook.batch([{"f": "x"}] * 70)
    now = SystemClock().now()
    with opened(data) as place:
        signals = loaded.signals(batch, loaded.match(batch)).filter(_of(loud["id"]))
        place.events.append([rulebook.Batch.of("hinomi.signal", signals, ingested=now)])
        ended = Selector(id=["z"], owner="a", reason="b", until=date(2020, 1, 1))
        found = rule_hygiene.report(loaded, Choice([ended]), place.events, now, 3650, 0)
    assert found.hits == {loud["id"]: 70}
    assert [one.title for one, _ in found.noisy] == ["Rule 2"]
    assert [one.title for one in found.silent] == ["Rule 1"]
    assert [one.title for one in found.unfed] == ["Rule 3"]
    assert found.unowned[0].startswith("Nobody's")
    assert found.ended == ["id=z (a, b, –2020-01-01)"]
    run(
        "disable",
        "--id",
        "gone",
        "--owner",
        "h.sato",
        "--reason",
        "r",
        "--until",
        "2020-01-01",
        "--data",
        str(data),
    )
    told = json.loads(run("hygiene", "--data", str(data), "--json")[1])
    assert told["ended"] == ["id=gone (h.sato, r, –2020-01-01)"]


def test_decisions_at_once(tmp_path: Path) -> None:
    """Whoever decides at the same moment as another loses nothing: each decision is kept, once."""
    path, start = tmp_path / "rules/choice.yml", threading.Barrier(2)

    def decide(way: str) -> None:
        start.wait()
        for number in range(20):
            decided.decide(path, way, Selector(id=[f"{way}-{number}"], owner="a", reason="b"))

    threads = [threading.Thread(target=decide, args=(way,)) for way in ("disable", "enable")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = decided.read_choice(path)
    for way in ("disable", "enable"):
        assert [one.id for one in getattr(kept, way)] == [[f"{way}-{number}"] for number in range(20)]


def test_the_last_day_is_one_of_the_citys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are Japan's, whatever zone the machine keeps: at 08:00 in Tokyo on the 1st it is still the 30th in UTC."""

    class Moment(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 11, 30, 23, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Moment)
    assert clock.today() == date(2026, 12, 1)
    for zone in ("UTC", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        assert InForce([]).changed()[""] == date(2026, 12, 1).toordinal()


def _of(identity: str) -> Any:
    import polars as pl

    return pl.col("rule.id") == identity


def test_no_data_folder(tmp_path: Path) -> None:
    """A folder that is none is an error in words."""
    with pytest.raises(InputError), opened(tmp_path / "none"):
        pass
    assert run("lock", "--data", str(tmp_path / "none"))[0] == 1
