"""What people decide reaches every machine of a cluster: two data folders over one set of records."""

import hashlib
import io
import os
import tarfile
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
import yaml
from typer.testing import CliRunner

from collectors.indicators import Held, Indicator, Kind
from collectors.indicators.reading import Taken
from collectors.indicators.settings import IndicatorSettings
from hinomi.clock import FixedClock
from hinomi.errors import Conflict, StoreError
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from hinomi.store.parts import Parts
from ops import shared
from ops.commands import indicators as command
from ops.doctor.finding import Patient, State
from ops.doctor.sharing import sharing
from ops.indicators import Indicators, LiveIndicators
from ops.rundir import RunDir
from ops.settings import Settings
from ops.shared import keeping as keeping_module
from ops.shared import undecided
from ops.shared.content import RULES, packed
from ops.shared.keeping import Keeping
from ops.shared.undecided import Undecided
from ops.watch import LiveRules
from responders.audit import Audit
from rules import decided, engine
from rules.in_force import CHOICE, InForce
from rules.selector import Selector
from rules.settings import RulesSettings
from tests.rules.engine import rulebook

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Away(SqliteRecords):
    """Records that answer, or do not."""

    away = False

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        if self.away:
            raise StoreError("届きません。", "away")
        return super().get(kind, id)


@pytest.fixture
def records(tmp_path: Path) -> Away:
    return Away(tmp_path / "records.sqlite")


def machine(tmp_path: Path, name: str, records: SqliteRecords) -> tuple[Path, shared.Copy]:
    """A data folder with its copy of the decisions on rules."""
    data = tmp_path / name
    data.mkdir()
    return data, shared.Copy.of(shared.rules(data), records, data)


def switched_off(data: Path, identity: str) -> None:
    """As `hinomi rules disable` does it."""
    path = data / "rules" / CHOICE
    kept = decided.read_choice(path)
    one = Selector.model_validate({"id": [identity], "owner": "a", "reason": "b"})
    decided.keep_choice(path, decided.Kept(disable=[*kept.disable, one]))


def test_a_switch_and_an_exception_decided_at_one_machine_hold_at_another(
    tmp_path: Path, records: Away
) -> None:
    """A process that runs takes them over, though neither folder nor file was there when it began."""
    (console, ours), (collector, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    (tmp_path / "packs").mkdir()
    for number in "12":
        rule = rulebook.rule({"sel": {"f": "x"}, "condition": "sel"}, title=f"Rule {number}")
        rule["id"] = f"{number}1111111-2222-4333-8444-555555555555"
        (tmp_path / "packs" / f"{number}.yml").write_text(yaml.safe_dump(rule))
    source = InForce.of(RulesSettings(packs=True), tmp_path / "packs", collector)
    live = LiveRules(source, tmp_path / "cache", every=0.0)
    assert len(live().rules) == 2
    assert not theirs.renew()

    ours.change(lambda: switched_off(console, "11111111-2222-4333-8444-555555555555"), by="cli:t.suzuki")
    ours.change(lambda: _exception(console), by="cli:t.suzuki")
    assert theirs.renew() and not theirs.renew()
    assert [rule.title for rule in live().rules] == ["Rule 2"]
    assert [one.title for one in live().filters] == ["backup"]
    state = theirs.state()
    assert (state.version, state.newest, state.by, state.edited) == (2, 2, "cli:t.suzuki", False)

    ours.change(lambda: (console / "rules/exceptions/backup.yml").unlink(), by="cli:t.suzuki")
    assert theirs.renew() and not live().filters


def _exception(data: Path) -> None:
    place = data / "rules" / "exceptions"
    place.mkdir(parents=True)
    (place / "backup.yml").write_text(
        yaml.safe_dump(
            {
                "title": "backup",
                "id": "f1111111-2222-4333-8444-555555555555",
                "logsource": {"product": "windows"},
                "filter": {
                    "rules": ["21111111-2222-4333-8444-555555555555"],
                    "selection": {"g": "backup"},
                    "condition": "not selection",
                },
                "hinomi": {"owner": "a", "reason": "b", "expires": "2099-12-31"},
            }
        )
    )


def test_who_decides_on_an_old_version_is_told_and_changes_nothing(tmp_path: Path, records: Away) -> None:
    """Of two that decide at once one comes first; the other begins from what that one shared."""
    (first, ours), (second, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))

    def meanwhile() -> None:
        ours.change(lambda: switched_off(first, "rule-a"), by="one")
        switched_off(second, "rule-b")

    with pytest.raises(Conflict, match="run the command again"):
        theirs.change(meanwhile, by="two")
    assert not (second / "rules" / CHOICE).exists()
    theirs.change(lambda: switched_off(second, "rule-b"), by="two")
    assert ours.renew()
    kept = decided.read_choice(first / "rules" / CHOICE).disable
    assert [one.id for one in kept] == [["rule-a"], ["rule-b"]]


def test_while_the_store_is_away_the_last_known_stays(
    tmp_path: Path, records: Away, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once, and a decision that cannot be shared is not taken."""
    (console, ours), (collector, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    keeping = Keeping([theirs])
    keeping.turn()
    before = (collector / "rules" / CHOICE).read_bytes()
    asked = theirs.state().asked
    capsys.readouterr()
    records.away = True
    for _ in range(3):
        keeping.turn()
    said = capsys.readouterr()
    assert (said.out + said.err).count("shared_not_taken") == 1
    assert (collector / "rules" / CHOICE).read_bytes() == before
    with pytest.raises(StoreError):
        ours.change(lambda: switched_off(console, "rule-b"), by="one")
    assert len(decided.read_choice(console / "rules" / CHOICE).disable) == 1
    records.away = False
    keeping.turn()
    assert asked is not None and theirs.state().asked is not None


def test_a_full_disk_ends_no_sharing(
    tmp_path: Path, records: Away, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once, and it goes on when there is room; a turn that cannot even say so is no end either."""
    (console, ours), (_, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    full = [True]

    def written(path: Path, content: bytes) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr("ops.shared.copy.write_durably", written)
    keeping = Keeping([theirs])
    keeping.turn()
    keeping.turn()
    said = capsys.readouterr()
    assert (said.out + said.err).count("No space left") == 1
    full[0] = False
    keeping.turn()
    assert theirs.state().version == 1

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return len(waited) > 3

    waited: list[float | None] = []
    monkeypatch.setattr(Keeping, "turn", lambda _: 1 / 0)
    keeping_module._run(keeping, Stop())
    assert waited == [5, 10, 20, 40]


def test_what_was_put_here_by_hand_is_shared_by_command_and_never_lost(tmp_path: Path, records: Away) -> None:
    """`rules share` gives it to all; where a newer version comes first it is kept aside."""
    (console, ours), (other, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    _exception(console)
    assert ours.state().edited
    assert ours.share("one") == 1 and ours.share("one") == 1
    assert theirs.renew()
    switched_off(other, "by hand")
    assert theirs.state().edited
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    assert theirs.renew()
    assert decided.read_choice(other / "rules" / CHOICE).disable[0].id == ["rule-a"]
    (aside,) = (other / "shared" / "aside").iterdir()
    assert b"by hand" in aside.read_bytes()


@pytest.mark.parametrize(
    "name",
    ["../evil.yml", "/etc/evil.yml", "exceptions/../../evil.yml", "quarantine.yml", "exceptions/.evil.yml"],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, records: Away, name: str) -> None:
    """Whoever may write the records can decide on rules, and nothing else on this machine."""
    data, copy = machine(tmp_path, "one", records)
    _sent(records, packed({name: b"x", "choice.yml": b"{}"}))
    with pytest.raises(StoreError, match="no place here"):
        copy.renew()
    assert not list(data.rglob("*evil*")) and not (data / "rules").exists()


def _sent(
    records: SqliteRecords, content: bytes, sha256: str = "", *, kind: str = RULES, name: str = "rules"
) -> None:
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    Parts(records, kind).put(sha256, content)
    records.put(kind, name, {"sha256": sha256, "by": "x", "at": "", "before": ""})


def test_what_is_damaged_is_not_taken(tmp_path: Path, records: Away) -> None:
    """Its hash tells; what is no archive is said in words, too."""
    data, copy = machine(tmp_path, "one", records)
    _sent(records, packed({"choice.yml": b"{}"}), sha256="0" * 64)
    with pytest.raises(StoreError, match="not whole, or damaged"):
        copy.renew()
    _sent(records, b"no archive")
    with pytest.raises(StoreError, match="not whole, or damaged"):
        copy.renew()
    assert not (data / "rules").exists()


@pytest.mark.parametrize("harm", ["record", "archive", "part"])
def test_damaged_indicators_are_replaced_by_a_machines_own(tmp_path: Path, records: Away, harm: str) -> None:
    """By whom the person names, also by one that never took the damaged version; others then take it, and work goes on."""
    data, other = (machine(tmp_path, name, records)[0] for name in ("one", "two"))
    ours = shared.Copy.of(shared.indicators(data), records, data)
    ours.change(lambda: Held(data / "indicators").take(_taken("old.example").taken), by="a")
    assert not ours.is_damaged()
    if harm == "record":
        records.put("shared_lists", "indicators", {"sha256": 7})
    elif harm == "archive":
        _sent(records, b"no archive", kind="shared_lists", name="indicators")
    else:
        [part] = [one for one in records.find("shared_lists") if "base64" in one.body]
        records.put("shared_lists", part.id, {**part.body, "base64": "AAAA"})
    theirs = shared.Copy.of(shared.indicators(other), records, other)
    assert ours.is_damaged()
    with pytest.raises(StoreError, match="not whole, or damaged"):
        theirs.renew()
    ours.mend("a")
    assert not ours.is_damaged() and theirs.renew()
    assert Held(other / "indicators").frame().height == 1
    ours.change(lambda: Held(data / "indicators").take(_taken("new.example").taken), by="a")


def test_of_two_that_replace_damaged_indicators_one_does(tmp_path: Path, records: Away) -> None:
    """Both saw the damage; the second is told, and what the first shared stays whole."""
    folders = [tmp_path / name for name in ("one", "two")]
    one, two = (shared.Copy.of(shared.indicators(folder), records, folder) for folder in folders)
    for folder, name in zip(folders, ("bad.example", "worse.example"), strict=True):
        Held(folder / "indicators").take(_taken(name).taken)
    records.put("shared_lists", "indicators", {"sha256": 7})
    assert one.is_damaged() and two.is_damaged()
    version = one.mend("a")
    with pytest.raises(Conflict, match="meanwhile"):
        two.mend("b")
    assert not one.is_damaged() and one.state().newest == version


def test_a_folder_without_indicators_replaces_no_damaged_ones(
    tmp_path: Path, records: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be gone from every machine: it is refused, by the command too, which says how many it shares where there are some."""
    bare, data = (machine(tmp_path, name, records)[0] for name in ("bare", "data"))
    records.put("shared_lists", "indicators", {"sha256": 7})
    audit = Audit(records, FixedClock(NOW))
    settings = SimpleNamespace(store=SimpleNamespace(kind="elasticsearch"))
    place = SimpleNamespace(settings=settings, records=records, desk=SimpleNamespace(audit=audit))
    monkeypatch.setattr("ops.commands.indicators.opened", lambda *_: nullcontext(place))
    app = typer.Typer()
    command.register(app)
    (bare / "indicators").mkdir()
    (bare / "indicators" / "pending.parquet").write_bytes(b"no list by itself")
    theirs = shared.Copy.of(shared.indicators(bare), records, bare)
    with pytest.raises(StoreError, match="every machine"):
        theirs.mend("a")
    refused = CliRunner().invoke(app, ["indicators", "share", "--data", str(bare)])
    assert isinstance(refused.exception, StoreError) and theirs.is_damaged()
    Held(data / "indicators").take(_taken("bad.example", "worse.example").taken)
    done = CliRunner().invoke(app, ["indicators", "share", "--data", str(data)])
    assert done.exit_code == 0 and "2 indicators" in done.stdout and not theirs.is_damaged()
    assert theirs.renew() and Held(bare / "indicators").frame().height == 2


def test_a_record_or_an_archive_that_is_none_is_refused_in_words(tmp_path: Path, records: Away) -> None:
    """A head without its hash, a part of another make, a link in the archive: what came last stays, and `rules share` mends it."""
    (console, ours), (data, copy) = (machine(tmp_path, name, records) for name in ("one", "two"))
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    copy.renew()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        link = tarfile.TarInfo("choice.yml")
        link.type, link.linkname = tarfile.SYMTYPE, "exceptions/a.yml"
        archive.addfile(link)
    bodies = (
        {"by": "x"},
        {"sha256": "a" * 64, "by": "x", "at": "", "before": ""},
        {"sha256": 5, "by": [], "at": None},
    )
    records.put(RULES, f"{'a' * 64}-0000", {"of": 1})
    for body in bodies:
        records.put(RULES, "rules", body)
        with pytest.raises(StoreError, match="not whole, or damaged"):
            copy.renew()
    assert ours.share("one") == 5 and not copy.renew() and copy.state().version == 5  # what it has already
    _sent(records, made.getvalue())
    with pytest.raises(StoreError, match="not whole, or damaged"):
        copy.renew()
    assert (data / "rules" / CHOICE).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another account")
def test_what_a_command_as_root_makes_is_the_towers(tmp_path: Path, records: Away) -> None:
    """Also what is put aside, and what lies beside the indicators; a link that lies there is not followed."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 65534, 65534)
    stranger = tmp_path / "stranger"
    stranger.touch()
    one, two = tmp_path / "one", tmp_path / "two"
    for data in (one, two):
        rules, lists = (make(data) for make in (shared.rules, shared.indicators))
        shared.Copy.of(rules, records, data).change(
            lambda data=data: switched_off(data, data.name), by="root"
        )
        shared.Copy.of(lists, records, data).change(
            lambda data=data: Held(data / "indicators").take(_taken(data.name).taken), by="root"
        )
        switched_off(data, "by hand")
        (data / "rules" / "exceptions").mkdir()
        (data / "rules" / "exceptions" / "link.yml").symlink_to(stranger)
    for content in (shared.rules(one), shared.indicators(one)):
        shared.Copy.of(content, records, one).renew()
    shared.Copy.of(shared.rules(one), records, one).change(lambda: None, by="root")
    made = [path for data in (one, two) for path in (data / "shared", *(data / "shared").rglob("*"))]
    made += [one, *one.rglob("*")]
    assert {"aside", "rules.asked", "rules.lock", "rules.json", ".lock", CHOICE} < {
        path.name for path in made
    }
    assert {path.lstat().st_uid for path in made} == {65534}
    assert stranger.stat().st_uid == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, records: Away) -> None:
    """Wherever it is: the mark, what is put aside, the lock."""
    (console, ours), (data, copy) = (machine(tmp_path, name, records) for name in ("one", "two"))
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    (data / "shared" / "rules.json").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"rules\.json.* cannot be read or written"):
        copy.renew()
    (data / "shared" / "rules.json").rmdir()
    copy.renew()
    switched_off(data, "by hand")
    (data / "shared" / "aside").touch()
    ours.change(lambda: switched_off(console, "rule-b"), by="one")
    with pytest.raises(StoreError, match="aside"):
        copy.renew()
    (data / "shared" / "rules.lock").unlink()
    (data / "shared" / "rules.lock").mkdir()
    with pytest.raises(StoreError, match=r"rules\.lock cannot"):
        copy.renew()


def test_of_old_versions_one_is_kept(tmp_path: Path, records: Away) -> None:
    """The parts of a version go when the second one after it comes."""
    data, copy = machine(tmp_path, "one", records)
    for name in "abcd":
        copy.change(lambda name=name: switched_off(data, name), by="one")
    assert records.count(RULES) == 3  # the head and two versions of a part each


def test_new_indicators_reach_a_collector(tmp_path: Path, records: Away) -> None:
    """Two responders that take some in at once lose none; the collector matches by all of them without a restart."""
    clock, folders = FixedClock(NOW), [tmp_path / name for name in ("a", "b", "collect")]
    copies = [shared.Copy.of(shared.indicators(one), records, one) for one in folders]
    towers = [
        Indicators(Held(one / "indicators"), None, records, clock, engine.load([]), retro_days=0, copy=copy)  # type: ignore[arg-type]
        for one, copy in zip(folders, copies, strict=True)
    ]
    live = LiveIndicators(Held(folders[2] / "indicators"), clock)
    assert towers[0].take(_taken("bad.example")) == (1, 0)
    assert towers[1].take(_taken("worse.example", "bad.example")) == (1, 0)
    assert copies[2].renew()
    assert set(live.held.frame()["value"]) == {"bad.example", "worse.example"}


def _taken(*names: str) -> Taken:
    return Taken([Indicator(Kind.DOMAIN, name, "JPCERT/CC", 50, NOW, None, "") for name in names])


def test_the_doctor_tells_the_version_and_its_age(tmp_path: Path, records: Away) -> None:
    """Nothing shared, here, changed by hand, an older version than the newest, the store away."""
    (console, ours), (collector, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    store = {"kind": "elasticsearch", "elasticsearch": {"hosts": ["https://es.example:9200"]}}
    patient = Patient(
        collector,
        Settings.model_validate({"store": store}),
        None,
        records,
        RunDir.of(collector),  # type: ignore[arg-type]
    )

    def said() -> tuple[State, str]:
        check = next(iter(sharing(patient)))
        return check.state, check.said.en

    assert said() == (State.GOOD, "nothing was shared")
    ours.change(lambda: switched_off(console, "rule-a"), by="cli:t.suzuki")
    state, text = said()
    assert state is State.BAD and "the newest is 1" in text
    theirs.renew()
    state, text = said()
    assert state is State.GOOD and "version 1 (cli:t.suzuki" in text and "0 s ago" in text
    records.away = True
    state, text = said()
    assert state is State.BAD and "in use until the store answers" in text
    switched_off(collector, "rule-b")
    assert said()[0] is State.WARN

    records.away = False
    third, _ = machine(tmp_path, "three", records)
    patient = replace(patient, data=third, run=RunDir.of(third))
    _exception(third)  # from before anything was shared
    state, text = said()
    assert state is State.BAD and "exceptions/backup.yml" in text and "nothing is taken over" in text


def test_indicators_of_machines_that_were_there_before_are_merged(tmp_path: Path, records: Away) -> None:
    """An upgrade: the responder's round shares nothing where it has nothing; what it shares later is added to a collector's own,
    with each version anew, and only what is the collector's own stays when the responder takes something out."""
    clock, folders = FixedClock(NOW), [tmp_path / name for name in ("respond", "collect")]
    ours, theirs = (shared.Copy.of(shared.indicators(one), records, one) for one in folders)
    tower = Indicators(
        Held(folders[0] / "indicators"),
        None,
        records,
        clock,
        engine.load([]),
        retro_days=0,
        copy=ours,  # type: ignore[arg-type]
    )
    own = Held(folders[1] / "indicators")
    own.take(_taken("bad.example", "worse.example").taken, "")

    def matched() -> set[str]:
        return set(own.frame()["value"])

    tower.pull(IndicatorSettings())
    assert ours.newest() == {} and not theirs.renew()
    tower.take(_taken("bad.example", "new.example"))
    assert theirs.renew() and matched() == {"bad.example", "worse.example", "new.example"}
    assert not theirs.renew() and not theirs.state().edited
    ours.change(lambda: tower.held.expire(NOW, "JPCERT/CC"), by="one")
    assert theirs.renew() and matched() == {"worse.example"}


def test_a_responder_in_line_for_the_first_time_shares_what_it_has(tmp_path: Path, records: Away) -> None:
    """Two responders with indicators of their own: the second adds its own to what the first shared, by the next round at the latest."""
    folders = [tmp_path / name for name in ("one", "two")]
    one, two = (shared.Copy.of(shared.indicators(folder), records, folder) for folder in folders)
    Held(folders[1] / "indicators").take(_taken("worse.example").taken, "")
    one.change(lambda: Held(folders[0] / "indicators").take(_taken("bad.example").taken, ""), by="one")
    assert two.renew()
    two.change(lambda: None, by="two")
    assert one.renew()
    assert set(Held(folders[0] / "indicators").frame()["value"]) == {"bad.example", "worse.example"}


def test_rules_of_a_machine_that_was_there_before_wait_for_a_person(tmp_path: Path, records: Away) -> None:
    """It keeps what it has, refuses decisions, and says so to the doctor and to whoever is called, until somebody decides."""
    (console, ours), (collector, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    _exception(collector)
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    for act in (theirs.renew, lambda: theirs.change(lambda: None, by="two")):
        with pytest.raises(Undecided, match="rules share --take"):
            act()
    there = collector / "rules/exceptions/backup.yml"
    assert there.exists() and not (collector / "rules" / CHOICE).exists()
    assert theirs.state().undecided == ("exceptions/backup.yml",)
    now, told = datetime.now(UTC), []
    assert undecided.look(records, now, told.append) == 1
    assert "two" not in told[0].what_to_do_en and "exceptions/backup.yml" in told[0].reason_en
    assert undecided.look(records, now + timedelta(days=2), told.append) == 0

    assert theirs.take() and not there.exists() and (collector / "rules" / CHOICE).exists()
    (aside,) = (collector / "shared" / "aside").iterdir()
    assert b"backup" in aside.read_bytes()
    assert undecided.look(records, now, told.append) == 0


def test_rules_of_a_console_that_was_there_before_are_added_by_command(tmp_path: Path, records: Away) -> None:
    """`rules share` makes both one; a machine that has the same already is in line without a question."""
    (console, ours), (second, theirs) = (machine(tmp_path, name, records) for name in ("one", "two"))
    _exception(second)
    ours.change(lambda: switched_off(console, "rule-a"), by="one")
    assert theirs.share("two") == 2
    assert ours.renew()
    assert (console / "rules/exceptions/backup.yml").exists() and (second / "rules" / CHOICE).exists()
    third, copy = machine(tmp_path, "three", records)
    _exception(third)
    assert copy.renew() and (third / "rules" / CHOICE).exists()
