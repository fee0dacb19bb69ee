"""Reports reach those who are to have them: into a folder, by a real mail relay, later where it was away, never changed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from dashboards.reporting import signing
from dashboards.reporting.publish import Published
from hinomi.clock import FixedClock
from hinomi.errors import HinomiError
from hinomi.store.embedded import SqliteRecords
from ops import report_delivery, reports
from ops.cli import app
from ops.commands import report as command
from ops.doctor.delivering import delivering
from ops.doctor.finding import Patient, State
from ops.report_delivery import KIND, Deliveries
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings, read_settings
from responders.audit import KIND as AUDIT
from responders.audit import Audit
from tests.responders.peers.relay import relay

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STEM = "monthly-committee-2026-11-01.ja"


def _made(folder: Path) -> list[Published]:
    folder.mkdir(exist_ok=True)
    contents = {"pdf": b"%PDF-1.7 x", "xlsx": b"PK x", "json": b"{}", "signed.json": b"{}", "html": b"<p>"}
    for ending, content in contents.items():
        (folder / f"{STEM}.{ending}").write_bytes(content)
    return [
        Published(folder / f"{STEM}.{ending}", hashlib.sha256(content).hexdigest())
        for ending, content in contents.items()
    ]


def _respond(port: int, **channel: Any) -> dict[str, Any]:
    mail = {"kind": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "sender": "h@city.example.jp"}
    people = {"ciso": {"name_ja": "副市長", "mail": "ciso@city.example.jp", "channels": ["mail"]}}
    return {"notify": {"channels": {"mail": mail | channel}}, "oncall": {"people": people}}


def _deliveries(records: SqliteRecords, clock: FixedClock, port: int, *places: dict[str, Any]) -> Deliveries:
    settings = Settings.model_validate({"respond": _respond(port), "reports": {"deliver": list(places)}})
    return Deliveries(records, clock, settings.reports.deliver, settings.respond)


def test_a_report_is_copied_and_mailed_once(tmp_path: Path) -> None:
    """All forms into the folder with their hashes, the PDF and the signed list by mail; each place once, in the audit log; a
    report that goes nowhere stays where it is."""
    records, share = SqliteRecords(tmp_path / "r.sqlite"), tmp_path / "share"
    share.mkdir()
    made = _made(tmp_path / "reports")
    with relay() as own:
        places = ({"folder": str(share)}, {"mail": ["ciso"], "reports": ["monthly-committee"]})
        deliveries = _deliveries(records, FixedClock(NOW), own.port, *places)
        assert deliveries.plan("monthly-committee", made) == 2
        assert deliveries.plan("monthly-committee", made) == 0
        assert deliveries.bring() == 2 and deliveries.bring() == 0
        assert deliveries.plan("daily-digest", made[:1]) == 1  # the folder takes every report
        [(_, mail)] = own.mails
    assert {one.name for one in share.iterdir()} == {
        name for one in made for name in (one.path.name, f"{one.path.name}.sha256")
    }
    assert mail["To"] == "ciso@city.example.jp" and "委員会" in mail["Subject"]
    attached = {one.get_filename(): one.get_content() for one in mail.iter_attachments()}
    assert set(attached) == {f"{STEM}.pdf", f"{STEM}.signed.json"}
    assert attached[f"{STEM}.pdf"] == b"%PDF-1.7 x"
    body = mail.get_body()
    assert body is not None and made[0].sha256 in body.get_content()
    entries = [one.body for one in records.find(AUDIT) if one.body["action"] == "report.deliver"]
    assert sorted(one["details"]["to"] for one in entries) == sorted([str(share), "ciso"])
    assert Audit(records, FixedClock(NOW)).verify() == []


def test_a_place_of_an_organisation_gets_its_reports_only(tmp_path: Path) -> None:
    """And one that names none gets the whole tower's only; the mail says whose report it is."""
    records, made = SqliteRecords(tmp_path / "r.sqlite"), _made(tmp_path / "reports")
    town, whole = tmp_path / "town", tmp_path / "whole"
    town.mkdir()
    whole.mkdir()
    with relay() as own:
        settings = Settings.model_validate(
            {
                "organizations": {"higashi": {"name_ja": "東町"}, "nishi": {}},
                "respond": _respond(own.port),
                "reports": {
                    "organizations": ["higashi"],
                    "deliver": [
                        {"folder": str(town), "organization": "higashi"},
                        {"mail": ["ciso"], "organization": "higashi"},
                        {"folder": str(whole)},
                    ],
                },
            }
        )
        brought = reports.deliveries(settings, FixedClock(NOW), records)
        assert brought.plan("monthly-committee", made, "nishi") == 0
        assert brought.plan("monthly-committee", made, "higashi") == 2 and brought.bring() == 2
        assert len(list(town.glob("*.pdf"))) == 1 and not list(whole.iterdir())
        [(_, mail)] = own.mails
        assert "東町" in mail["Subject"]
        audited = [one.body["details"] for one in records.find(AUDIT)]
        assert {one["organization"] for one in audited if "files" in one} == {"higashi"}
        assert brought.plan("monthly-committee", made) == 1 and brought.bring() == 1
    assert len(list(whole.glob("*.pdf"))) == 1


def test_a_report_of_an_organisation_that_is_gone_is_kept(tmp_path: Path) -> None:
    """It left the configuration before the mail went out: nothing is sent, as it would read as the whole tower's; the reason stands beside
    it, and the mail goes out once the organisation is there again."""
    records, clock, made = SqliteRecords(tmp_path / "r.sqlite"), FixedClock(NOW), _made(tmp_path / "reports")
    town = {"mail": ["ciso"], "organization": "higashi"}
    with relay() as own:
        body = {
            "organizations": {"higashi": {"name_ja": "東町"}},
            "respond": _respond(own.port),
            "reports": {"organizations": ["higashi"], "deliver": [town]},
        }
        there = Settings.model_validate(body)
        gone = Settings.model_validate({"respond": body["respond"]})
        assert reports.deliveries(there, clock, records).plan("monthly-committee", made, "higashi") == 1
        assert reports.deliveries(gone, clock, records).bring() == 0 and own.mails == []
        [kept] = report_delivery.stuck(records, NOW + timedelta(hours=2))
        assert "組織「higashi」は設定" in kept.reason_ja and "届けずに" in kept.reason_ja
        clock.advance(timedelta(minutes=2))
        assert reports.deliveries(there, clock, records).bring() == 1
        [(_, mail)] = own.mails
        assert "東町" in mail["Subject"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"organizations": ["minami"]}, "organizations にありません"),
        ({"organizations": ["higashi", "higashi"]}, "二度あります"),
        ({"deliver": [{"folder": "/x", "organization": "higashi"}]}, "作られません"),
        (
            {
                "organizations": ["higashi"],
                "deliver": [
                    {
                        "folder": "/x",
                        "organization": "higashi",
                        "reports": ["daily-digest", "annual-compliance"],
                    }
                ],
            },
            "「annual-compliance」は塔全体のもの",
        ),
    ],
)
def test_an_organisation_without_reports_is_refused(told: dict[str, Any], said: str) -> None:
    """One that there is not or that is named twice, and a place for reports that nobody makes."""
    with pytest.raises(ValueError, match=said):
        Settings.model_validate({"organizations": {"higashi": {}}, "reports": told})


def test_a_relay_that_is_away_is_tried_again(tmp_path: Path) -> None:
    """With growing pauses, the reason kept; after an hour the doctor names it; when it is back the report comes, once."""
    records, clock = SqliteRecords(tmp_path / "r.sqlite"), FixedClock(NOW)
    made = _made(tmp_path / "reports")
    with relay() as own:
        port = own.port
    away = _deliveries(records, clock, port, {"mail": ["ciso"]})
    away.plan("monthly-committee", made)
    assert away.bring() == 0
    [held] = records.find(KIND)
    assert held.body["tries"] == 1 and str(port) in held.body["reason_en"]
    assert away.bring() == 0 and records.find(KIND)[0].body["tries"] == 1  # not before its time
    for minutes in (1, 2, 4, 60):
        clock.advance(timedelta(minutes=minutes))
        away.bring()
    [late] = report_delivery.stuck(records, clock.now())
    assert late.tries == 5 and late.person == "ciso"
    with relay() as back:
        clock.advance(timedelta(hours=1))
        assert _deliveries(records, clock, back.port, {"mail": ["ciso"]}).bring() == 1
        assert len(back.mails) == 1
    assert not list(report_delivery.stuck(records, clock.now()))


def test_the_doctor_says_whose_report_is_held_up(tmp_path: Path) -> None:
    """Two organisations have the same kind of report."""
    records, share = SqliteRecords(tmp_path / "r.sqlite"), tmp_path / "share"
    told = {"organizations": ["higashi"], "deliver": [{"folder": str(share), "organization": "higashi"}]}
    settings = Settings.model_validate({"organizations": {"higashi": {}}, "reports": told})
    past = reports.deliveries(settings, FixedClock(datetime(2026, 11, 1, tzinfo=UTC)), records)
    past.plan("monthly-committee", _made(tmp_path / "reports"), "higashi")
    assert past.bring() == 0
    run = RunDir.of(tmp_path)
    events = Role("doctor", tmp_path, settings, run).events()
    [check] = delivering(Patient(tmp_path, settings, events, records, run))
    assert check.state is State.BAD and "monthly-committee (higashi)" in check.said.ja
    events.close()
    records.close()


def test_what_was_changed_is_not_brought(tmp_path: Path) -> None:
    """A file that is not as it was made, and a folder that there is not: nothing goes, and it is said why."""
    records, clock, share = SqliteRecords(tmp_path / "r.sqlite"), FixedClock(NOW), tmp_path / "share"
    made = _made(tmp_path / "reports")
    deliveries = _deliveries(records, clock, 1, {"folder": str(share), "forms": ["pdf"]})
    deliveries.plan("monthly-committee", made)
    assert deliveries.bring() == 0 and "share" in records.find(KIND)[0].body["reason_en"]
    share.mkdir()
    made[0].path.write_bytes(b"%PDF-1.7 another")
    clock.advance(timedelta(hours=1))
    assert deliveries.bring() == 0 and list(share.iterdir()) == []
    assert "changed since it was made" in records.find(KIND)[0].body["reason_en"]


@pytest.mark.parametrize(
    ("place", "channel", "said"),
    [
        ("{mail: [mayor]}", {}, '"mayor" cannot be mailed'),
        ("{mail: [ciso]}", {"inside": False}, '"ciso" cannot be mailed'),
        ("{}", {}, "either folder or mail"),
        ("{folder: /x, mail: [ciso]}", {}, "either folder or mail"),
        ("{folder: /x, reports: [weekly]}", {}, "no such report: weekly"),
    ],
)
def test_a_place_that_is_none_is_refused_at_the_start(
    tmp_path: Path, place: str, channel: dict[str, Any], said: str
) -> None:
    """By file, line and key: whoever is not among the people, a channel that leaves the city's network, both or no way."""
    import yaml

    config = tmp_path / "hinomi.yaml"
    respond = yaml.safe_dump({"respond": _respond(25, **channel)}, allow_unicode=True)
    config.write_text(f"reports:\n  deliver:\n  - {place}\n{respond}", encoding="utf-8")
    with pytest.raises(HinomiError, match=said) as raised:
        read_settings(config)
    assert "hinomi.yaml:" in str(raised.value) and "reports.deliver.0" in str(raised.value)


def test_the_signing_key_stays_in_the_data_folder(tmp_path: Path) -> None:
    """Whichever folder a report is written to: one key, that of the data folder, moved there from where it was before."""
    command.register(app)
    data, config = tmp_path / "data", tmp_path / "hinomi.yaml"
    (data / "run").mkdir(parents=True)
    (data / "reports").mkdir()
    SqliteRecords(data / "records.sqlite").close()
    config.write_text("rules: {packs: false}\n", encoding="utf-8")
    before = signing.key(data / "reports" / "report.key").public_key()
    prints = set()
    for out in (tmp_path / "share", tmp_path / "elsewhere", data / "reports"):
        asked = [
            "report",
            "weekly-operations",
            "--data",
            str(data),
            "--config",
            str(config),
            "--out",
            str(out),
        ]
        went = CliRunner().invoke(app, asked)
        assert went.exit_code == 0, went.output
        assert not (out / "report.key").exists()
        (signed,) = out.glob(f"*{signing.ENDING}")
        assert all(signing.verify(signed).values())
        prints.add(json.loads(signed.read_text(encoding="utf-8"))["fingerprint"])
    own = before.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert prints == {signing.fingerprint(own)}
    assert (data / "report.key").stat().st_mode & 0o777 == 0o600


def test_a_report_made_by_hand_is_brought_where_asked(tmp_path: Path) -> None:
    """`hinomi report --deliver` notes it down; the respond process's timetable brings it."""
    command.register(app)
    share, data, config = tmp_path / "share", tmp_path / "data", tmp_path / "hinomi.yaml"
    for folder in (share, data / "run"):
        folder.mkdir(parents=True)
    SqliteRecords(data / "records.sqlite").close()
    config.write_text(
        f"reports: {{deliver: [{{folder: {share}}}]}}\nrules: {{packs: false}}\n", encoding="utf-8"
    )
    asked = ["report", "weekly-operations", "--data", str(data), "--config", str(config), "--deliver"]
    went = CliRunner().invoke(app, asked)
    assert went.exit_code == 0, went.output
    records = SqliteRecords(data / "records.sqlite")
    settings = read_settings(config)
    now = FixedClock(datetime.now(UTC) + timedelta(minutes=1))
    assert Deliveries(records, now, settings.reports.deliver, settings.respond).bring() == 1
    assert [one.name for one in share.iterdir() if one.suffix == ".pdf"]
