"""The worker's path on real stores: pinned formats, dead letters that can be replayed, masks, signals, one commit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import yaml

from collectors import catalogue
from collectors.enrich import Enricher, EnrichSettings
from collectors.indicators import Held, Indicator, Kind
from collectors.organizations import Organizations
from collectors.privacy import Privacy, PrivacySettings
from collectors.pulls.findings import Finding
from collectors.source import Source
from collectors.unopened import ORIGIN, Unopened
from hinomi import ecs
from hinomi.batch import DEAD_LETTERS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import Refused
from hinomi.ledger import Ledger, Line
from hinomi.store import Checkpoint
from hinomi.store.elastic.bulk import Item
from hinomi.store.elastic.letters import letter
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops import replay
from ops.counts import totals
from ops.dead_letters import groups
from ops.folders import packs_folder
from ops.formats import Formats
from ops.health import SourceHealth
from ops.pipeline import Pipeline
from ops.replayed import marked
from ops.settings import Settings
from ops.stores import StoreSettings
from ops.watch import LiveRules
from responders.audit import Audit
from responders.replays import Replays
from rules.in_force import InForce
from rules.settings import RulesSettings

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
SSH = "<38>Nov 20 11:59:00 web01 sshd[812]: Failed password for root from 203.0.113.9 port 40022 ssh2"
NOBODYS = "2026 Nov 20 11:59:00 web01 passwd[9]: password changed for root"
"""linux.auth reads it where it is named; nothing recognises it."""
VPN = (
    '<189>date=2026-11-20 time=03:14:07 devname="fw" devid="FGT60F0000000001" eventtime=1795112047000000761 tz="+0900" '
    'logid="0101039424" type="event" subtype="vpn" level="information" vd="root" action="tunnel-up" '
    'tunneltype="ssl-web" tunnelid=1 remip=203.0.113.66 user="t.yamada" group="telework" msg="SSL tunnel established"'
)


class Tower:
    """A pipeline over a temporary folder."""

    def __init__(self, folder: Path, **declared: str) -> None:
        self.clock, self.ledger = FixedClock(NOW), Ledger()
        self.events = ParquetEvents(folder / "events", clock=self.clock)
        self.records = SqliteRecords(folder / "records.sqlite", clock=self.clock)
        geo = folder / "geo.csv"
        geo.write_text("cidr,country_iso_code,lat,lon\n203.0.113.0/24,RO,44.43,26.10\n", encoding="utf-8")
        self.pipeline = Pipeline(
            events=self.events,
            formats=Formats(self.records, self.clock, declared),
            enricher=Enricher.of(EnrichSettings(geo_override=geo)),
            privacy=Privacy(PrivacySettings(), self.ledger),
            rules=LiveRules(InForce([packs_folder()]), folder.parent / "compiled-rules"),  # all towers' here
            ledger=self.ledger,
            clock=self.clock,
        )

    def send(
        self, *lines: str | bytes, origin: str = "fw", peer: str = "192.0.2.1", prefix: str = "a"
    ) -> None:
        payloads = [line if isinstance(line, bytes) else line.encode() for line in lines]
        frame = pl.DataFrame(
            {
                "origin": [origin] * len(lines),
                "peer": [peer] * len(lines),
                "client_id": [""] * len(lines),
                "received": pl.Series([NOW] * len(lines)).cast(ecs.TIME),
                "payload": pl.Series(payloads, dtype=pl.Binary),
                "event.id": [f"{prefix}-{i}" for i in range(len(lines))],
            }
        )
        self.pipeline.process(frame, Checkpoint("lane-0", prefix))


@pytest.fixture
def tower(tmp_path: Path) -> Tower:
    return Tower(tmp_path)


def test_two_formats_on_one_port_are_told_apart_by_sender(tower: Tower) -> None:
    """Each sender's format is recognised once, pinned, and kept in the records."""
    tower.send(SSH, SSH, peer="10.0.0.1", prefix="a")
    tower.send(VPN, peer="10.0.0.2", prefix="b")
    assert {one.name for one in tower.events.datasets()} >= {"linux.auth", "fortinet.fortigate"}
    pins = {r.body["peer"]: r.body["source"] for r in tower.records.find("source", {"pin": True})}
    assert pins == {"10.0.0.1": "linux.auth", "10.0.0.2": "fortinet.fortigate"}


def test_an_event_is_whole(tower: Tower) -> None:
    """Raw line, identity, dataset, origin, sender, place and signal are all there, with the reader's place."""
    tower.send(VPN)
    [event] = tower.events.search("event.dataset: fortinet.fortigate").rows
    assert event["event.original"] == VPN and event["event.id"] == "a-0"
    assert event["user.name"] == "t.yamada" and event["source.geo.country_iso_code"] == "RO"
    assert event["hinomi.origin"] == "fw" and event["log.source.address"] == "192.0.2.1"
    signals = tower.events.search("event.dataset: hinomi.signal").rows
    assert "VPN sign-in from abroad" in {signal["rule.name"] for signal in signals}
    assert {signal["hinomi.signal.event_id"] for signal in signals} == {"a-0"}
    assert tower.events.checkpoint("lane-0") == "a"


def test_what_is_not_understood_is_kept_and_counted(tower: Tower) -> None:
    """Binary, empty, NULs, escapes, half a line: each is stored whole with a reason; the good line goes on."""
    odd = ["\x1b[2Jgone", "a\x00b", "", "ランサム", "x" * 200_000, b"\xff\xfe\xfa"]
    tower.send(*odd, *([SSH] * 20))
    letters = tower.events.search("event.dataset: hinomi.dead_letter", limit=50).rows
    assert len(letters) == len(odd)
    assert {letter["error.message"] for letter in letters} == {"not_linux.auth"}
    assert "\x1b[2Jgone" in {letter.get("event.original") for letter in letters}
    assert tower.events.count(datasets=["linux.auth"]) == 20
    assert tower.ledger.take()[Line("dead_letter", "linux.auth", "not_understood")] == len(odd)


def test_an_unknown_format_is_kept_until_a_source_is_named(tower: Tower) -> None:
    """Nothing recognises it: dead letters; after a replay with the right source they are events, once."""
    tower.send("zzz completely unknown", "yyy", "xxx", NOBODYS, origin="odd")
    assert tower.events.count(datasets=["hinomi.dead_letter"]) == 4
    for expected in ((4, 1), (3, 0)):
        done = replay.replay("linux.auth", Settings(), tower.events, tower.records, tower.clock)
        assert (done.letters, done.understood) == expected, "a letter that was read is not read again"
    assert [one.count for one in groups(tower.events, read=marked(tower.records))] == [1, 1, 1]
    [event] = tower.events.search("event.dataset: linux.auth").rows
    assert event["user.name"] == "root" and event["hinomi.origin"] == "odd"


@pytest.mark.parametrize(
    ("source", "wanted", "letters"),
    [
        ("linux.auth", replay.Wanted(), 0),
        ("linux.auth", replay.Wanted(("generic.key_value",)), 2),
        ("linux.auth", replay.Wanted(origin="a"), 1),
        ("linux.auth", replay.Wanted(("generic.key_value",), "b"), 1),
        ("linux.auth", replay.Wanted(("generic.key_value",), "c"), 0),
        ("auto", replay.Wanted(("generic.key_value",)), 2),
    ],
)
def test_letters_of_the_wrong_source_are_read_with_the_right_one(
    tmp_path: Path, source: str, wanted: replay.Wanted, letters: int
) -> None:
    """A listener named another source: its letters carry that one's name, and are found by it or by the listener."""
    tower = Tower(tmp_path, a="generic.key_value", b="generic.key_value")
    tower.send(SSH, origin="a", prefix="a")
    tower.send(SSH, origin="b", prefix="b")
    done = replay.replay(source, Settings(), tower.events, tower.records, tower.clock, wanted)
    assert (done.letters, done.understood) == (letters, letters)
    assert tower.events.count(datasets=["linux.auth"]) == letters
    left = groups(tower.events, read=marked(tower.records))
    assert sum(one.count for one in left) == 2 - letters


def test_lines_read_again_meet_the_rules_and_indicators_in_force(tmp_path: Path) -> None:
    """An imported rule of the data folder and its indicators hold for a dead letter as for any other line."""
    tower, data = Tower(tmp_path, vpn="fortinet.fortigate"), tmp_path / "data"
    imported = data / "rules" / "imported" / "own" / "live"
    imported.mkdir(parents=True)
    own = {
        "title": "Own",
        "id": "11111111-2222-4333-8444-555555555551",
        "level": "high",
        "logsource": {"product": "hinomi", "service": "linux.auth"},
        "detection": {"s": {"hinomi.indicator.field": "source.ip"}, "condition": "s"},
    }
    (imported / "own.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    warned = Indicator(Kind.ADDRESS, "203.0.113.9", "s", 90, NOW, NOW + timedelta(days=9), "C2")
    Held(data / "indicators").take([warned])
    named = Settings(rules=RulesSettings(packs=False))
    tower.send(SSH, origin="vpn")
    assert tower.events.count(datasets=["hinomi.dead_letter"]) == 1
    wanted = replay.Wanted(origin="vpn")
    done = replay.replay("linux.auth", named, tower.events, tower.records, tower.clock, wanted, data)
    assert done.understood == 1
    signals = tower.events.search("event.dataset: hinomi.signal", limit=10).rows
    assert [one["rule.name"] for one in signals] == ["Own"]


def test_what_the_page_asks_for_is_read_again(tower: Tower) -> None:
    """Who works on incidents asks, once while it waits; the job does it, the record says what came of it, and both are in
    the audit log. A source that there is not is said, and on a cluster who may do it."""
    audit = Audit(tower.records, tower.clock)
    desk = Replays(tower.records, tower.clock, audit)
    tower.send("zzz completely unknown", "yyy", "xxx", NOBODYS, origin="odd")
    with pytest.raises(Refused):
        desk.ask("linux.auth", "直した", actor="viewer", roles=["viewer"])
    first = desk.ask("linux.auth", "直した", actor="kato", roles=["analyst"])
    assert desk.ask(" linux.auth", "もう一度", actor="mori", roles=["analyst"]).id == first.id
    desk.ask("linux.aut", "綴りの誤り", actor="kato", roles=["analyst"])
    assert replay.answer(Settings(), tower.events, tower.records, tower.clock, audit) == 2
    assert replay.answer(Settings(), tower.events, tower.records, tower.clock, audit) == 0
    came = {one.body["source"]: one.body for one in desk.latest()}
    done = came["linux.auth"]
    assert (done["state"], done["letters"], done["understood"]) == ("done", 4, 1)
    assert came["linux.aut"]["state"] == "failed" and "linux.auth" in came["linux.aut"]["ja"]
    assert tower.events.count(datasets=["linux.auth"]) == 1
    cluster = Settings().model_copy(update={"store": StoreSettings.model_construct(kind="elasticsearch")})
    desk.ask("linux.auth", "もう一度", actor="kato", roles=["analyst"])
    replay.answer(cluster, tower.events, tower.records, tower.clock, audit)
    assert any("hinomi replay" in one.body.get("ja", "") for one in desk.latest())
    actions = [one.body["action"] for one in tower.records.find("audit", order="", limit=100)]
    assert actions.count("replay") == 3 and actions.count("replay.refused") == 1


def test_a_replay_goes_by_the_tower_s_own_configuration(tower: Tower, tmp_path: Path) -> None:
    """The city's own source and its masks hold for lines read again, and are counted."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "shelter.source.yml").write_text(
        "source: city.shelter\ntitle: {ja: 避難所, en: Shelter}\nformat: csv\ncolumns: [at, who, note]\n"
        "fields: {at: {to: '@timestamp', type: time}, who: user.name, note: message}\n",
        encoding="utf-8",
    )
    tower.send("2026-11-20 09:00:00,m.abe,pass zz-4711", origin="door")
    settings = Settings.model_validate(
        {
            "sources": {"folders": [str(tmp_path / "own")]},
            "privacy": {"patterns": [{"name": "pass", "regex": "zz-[0-9]+"}]},
        }
    )
    try:
        done = replay.replay("city.shelter", settings, tower.events, tower.records, tower.clock)
    finally:
        catalogue.sources().pop("city.shelter", None)
    [event] = tower.events.search("event.dataset: city.shelter").rows
    assert done.understood == 1 and "zz-4711" not in str(event)
    assert any(line.what == "masked" for line in totals(tower.records))


def test_a_parser_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a parser turns its lines into dead letters that name it; other senders are not touched."""
    tower = Tower(tmp_path, fw="fortinet.fortigate", web="linux.auth")

    def broken(self: Source, intake: pl.DataFrame) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(catalogue.find("fortinet.fortigate")), "parse", broken)
    tower.send(VPN, SSH, origin="fw")
    letters = tower.events.search("event.dataset: hinomi.dead_letter").rows
    assert {letter["error.message"] for letter in letters} == {"parser_failed:ZeroDivisionError"}
    assert {letter["event.original"] for letter in letters} == {VPN, SSH}


def test_a_line_that_a_parser_fails_at_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser fails at one of three hundred lines: that one is a dead letter, the others are events."""
    tower = Tower(tmp_path, web="linux.auth")
    source = catalogue.find("linux.auth")
    whole, asked = type(source).parse, []

    def touchy(self: Source, intake: pl.DataFrame) -> object:
        asked.append(intake.height)
        if intake["message"].str.contains("40123").any():
            raise ZeroDivisionError
        return whole(self, intake)

    monkeypatch.setattr(type(source), "parse", touchy)
    lines = [SSH.replace("40022", str(40000 + n)) for n in range(300)]
    tower.send(*lines, origin="web")
    letters = tower.events.search("event.dataset: hinomi.dead_letter").rows
    assert [letter["event.original"] for letter in letters] == [lines[123]]
    assert tower.events.count(datasets=["linux.auth"]) == 299
    assert len(asked) < 40


def test_a_source_that_is_not_there_keeps_its_lines(tmp_path: Path) -> None:
    """The listener names a declared source whose file is broken: dead letters that say so; others go on."""
    tower = Tower(tmp_path, door="city.gone")
    tower.send("2026-11-20 09:00:00,m.abe", origin="door", prefix="a")
    tower.send(SSH, origin="web", prefix="b")
    [letter] = tower.events.search("event.dataset: hinomi.dead_letter").rows
    assert letter["error.message"] == "no_such_source" and letter["hinomi.dead_letter.source"] == "city.gone"
    assert tower.events.count(datasets=["linux.auth"]) == 1


def test_the_same_block_again_stores_nothing_twice(tmp_path: Path) -> None:
    """A crash before the commit: the block comes again from the same place and gives the same ids."""
    tower = Tower(tmp_path, fw="linux.auth")
    tower.send(SSH, SSH)
    first = {row["event.id"] for row in tower.events.search("event.dataset: linux.auth").rows}
    assert first == {"a-0", "a-1"}


def test_rules_reload_while_running(tmp_path: Path) -> None:
    """A rule written to the folder matches the next block; a broken one changes nothing and is said."""
    folder = tmp_path / "rules"
    folder.mkdir()
    live = LiveRules(InForce([folder]), tmp_path / "cache", every=0.0)
    assert live().rules == []
    rule = (
        "title: t\nid: 6f1e3c1a-0000-4000-8000-000000000001\nstatus: test\nlevel: high\n"
        "logsource: {product: hinomi, service: linux.auth}\ndetection: {s: {user.name: root}, condition: s}\n"
    )
    (folder / "a.yml").write_text(rule, encoding="utf-8")
    assert [one.title for one in live().rules] == ["t"]
    (folder / "b.yml").write_text("title: [", encoding="utf-8")
    assert [one.title for one in live().rules] == ["t"] and len(live().problems) == 1


def test_health_of_senders(tmp_path: Path) -> None:
    """Waiting until something comes; then how much came, how much was understood, and when."""
    tower = Tower(tmp_path, fw="linux.auth", quiet="squid.access")
    health = tower.pipeline.health = SourceHealth(tower.records, "worker-0")
    health.expect({"fw": "linux.auth", "quiet": "squid.access"})
    tower.send(SSH, SSH, "nonsense", prefix="a")
    health.save()
    tower.send(SSH, prefix="b")
    health.save()
    found = {r.body["origin"]: r.body for r in tower.records.find("source") if not r.body.get("pin")}
    assert found["quiet"] == {"origin": "quiet", "source": "squid.access", "received": 0}
    assert (found["fw"]["received"], found["fw"]["parsed"], found["fw"]["dead_letters"]) == (4, 3, 1)
    assert found["fw"]["last_received"].startswith("2026-11-20T03:00")


def test_what_could_not_be_opened_is_a_dead_letter_of_its_origin(tower: Tower) -> None:
    """A line of `hinomi.unopened` becomes a dead letter under the pull that it came for, with the reason told there."""
    letter = Unopened("aws", "aws.cloudtrail", "unopened: no_such_object", "s3://trail/a.json.gz")
    tower.send(letter.line(), b"{", origin=ORIGIN)
    rows = {
        row["event.original"]: row for row in tower.events.search("event.dataset: hinomi.dead_letter").rows
    }
    named = rows["s3://trail/a.json.gz"]
    assert named["hinomi.origin"] == "aws" and named["error.message"] == "unopened: no_such_object"
    assert named["hinomi.dead_letter.source"] == "aws.cloudtrail"
    assert rows["{"]["error.message"] == "unopened"


def test_what_a_pull_tells_apart_is_the_pulls_organisation() -> None:
    """Formats of a queue are origins of their own, and whose the queue is; one that is named itself is whose it is named."""
    queue = {"kind": "google_pubsub", "key": "env:KEY", "subscription": "projects/p/subscriptions/s"}
    towns = {"higashi": {"origins": ["gcp"]}, "nishi": {"origins": ["gcp.cloud_dns"]}}
    settings = Settings.model_validate({"pull": {"gcp": queue}, "organizations": towns})
    named = Organizations.of(settings.organizations, settings.pulled_parts())
    assert [named.whose(f"gcp{part}") for part in ("", ".vpc_flow", ".json", ".cloud_dns")] == [
        "higashi",
        "higashi",
        "higashi",
        "nishi",
    ]
    assert named.whose("other.vpc_flow") == ""
    assert set(settings.expected_sources()) == {"gcp"}


def test_what_a_pull_could_not_bring_is_an_alert(tmp_path: Path) -> None:
    """A loss that a pull tells goes the way of any log: an event of `hinomi.pull`, matched by the rule of the pack `own`,
    without a rhythm to keep."""
    okta = {"kind": "okta_system_log", "url": "https://x", "token": "env:T"}
    declared = Settings.model_validate({"pull": {"okta": okta}}).declared_sources()
    tower = Tower(tmp_path, **{"hinomi.pull": declared["hinomi.pull"]})
    lost = Finding("time_not_kept", "Audit.Exchange", "x", "2026-11-11T00:00:00Z", "2026-11-13T00:00:00Z")
    tower.send(lost.line("m365"), origin="hinomi.pull")
    (row,) = tower.events.search("event.dataset: hinomi.pull").rows
    assert (row["event.action"], row["hinomi.pull.name"]) == ("time_not_kept", "m365")
    signals = tower.events.search("event.dataset: hinomi.signal").rows
    assert [one["rule.name"] for one in signals] == ["Records of a service could not be read any more"]


def test_whose_it_is_is_the_towers_word(tmp_path: Path) -> None:
    """By the origin, else by the sender's address: events, signals and dead letters carry it, what a line says of itself
    counts for nothing, and what is nobody's has none. A replay of dead letters comes to the same."""
    tower = Tower(tmp_path)
    settings = Settings.model_validate(
        {
            "listen": {"east": {"kind": "tcp", "port": 0}},
            "organizations": {
                "higashi": {"origins": ["east"]},
                "nishi": {"networks": ["10.2.0.0/16", "2001:db8::/32"]},
            },
        }
    )
    tower.pipeline.organizations = Organizations.of(settings.organizations)
    claims = VPN.replace('user="t.yamada"', 'user="t.yamada" hinomi.organization="nishi"')
    tower.send(claims, "zzz unknown", origin="east", peer="10.2.0.9", prefix="a")
    tower.send(VPN, origin="shared", peer="10.2.0.9", prefix="b")
    tower.send(VPN, origin="shared", peer="::ffff:10.2.0.9", prefix="c")
    tower.send(claims, origin="shared", peer="10.3.0.9", prefix="d")
    tower.send(VPN, origin="shared", peer="/var/log/x", prefix="e")
    whose = {row["event.id"]: row.get("hinomi.organization") for row in tower.events.search(limit=100).rows}
    assert {i: whose[i] for i in ("a-0", "a-1", "b-0", "c-0", "d-0", "e-0")} == {
        **dict.fromkeys(("a-0", "a-1"), "higashi"),
        **dict.fromkeys(("b-0", "c-0"), "nishi"),
        **dict.fromkeys(("d-0", "e-0")),
    }
    signals = tower.events.search("event.dataset: hinomi.signal", limit=100).rows
    assert {(one["hinomi.signal.event_id"][0], one.get("hinomi.organization")) for one in signals} == {
        ("a", "higashi"), ("b", "nishi"), ("c", "nishi"), ("d", None), ("e", None)
    }  # fmt: skip
    assert '"hinomi.organization":"higashi"' in next(
        one["hinomi.signal.fields"] for one in signals if one["hinomi.signal.event_id"] == "a-0"
    )
    tower.send(SSH, origin="shared", peer="10.2.0.8", prefix="f")
    replay.replay("linux.auth", settings, tower.events, tower.records, tower.clock)
    assert tower.events.count("hinomi.organization: nishi and event.dataset: linux.auth") == 1


def test_what_the_store_refused_stays_its_towns(tmp_path: Path) -> None:
    """A letter that Elasticsearch's writer makes of a document carries whose it is and the sender's address, so a replay comes
    to the same; a page of letters that name neither is read again all the same."""
    tower = Tower(tmp_path)
    settings = Settings.model_validate({"organizations": {"nishi": {"networks": ["10.2.0.0/16"]}}})

    def refused(identity: str, **said: str) -> None:
        document = {
            "event.original": SSH,
            "event.created": NOW.isoformat(),
            "hinomi.origin": "shared",
            **said,
        }
        made = letter(Item("any", identity, orjson.dumps(document)), "too_large", "test", NOW)
        body = orjson.loads(made.body)
        assert {name: body.get(name) for name in said} == said
        moment = pl.col("@timestamp", "event.created").str.to_datetime(time_unit="ns", time_zone="UTC")
        frame = pl.DataFrame([body]).with_columns(moment)
        tower.events.append(
            [Batch(DEAD_LETTERS, frame.with_columns(pl.lit(NOW).cast(ecs.TIME).alias("event.ingested")))]
        )

    refused("bare")
    assert replay.replay("linux.auth", settings, tower.events, tower.records, tower.clock).understood == 1
    refused("own", **{"log.source.address": "10.2.0.9", "hinomi.organization": "nishi"})
    assert tower.events.count("hinomi.organization: nishi and event.dataset: hinomi.dead_letter") == 1
    assert replay.replay("linux.auth", settings, tower.events, tower.records, tower.clock).understood == 1
    assert tower.events.count("hinomi.organization: nishi and event.dataset: linux.auth") == 1
    assert tower.events.count("event.dataset: linux.auth") == 2


@pytest.mark.parametrize(
    ("organizations", "console", "said"),
    [
        ({"a": {"origins": ["no-such"]}}, {}, "no-such"),
        ({"a": {"origins": ["east"]}, "b": {"origins": ["east"]}}, {}, "one organisation only"),
        ({"a": {"networks": ["10.0.0.0/8"]}, "b": {"networks": ["10.0.0.0/8"]}}, {}, "one organisation only"),
        ({"A!": {}}, {}, "organizations"),
        ({"a": {}}, {"soc": ["b"]}, '"b" is not one of the organizations'),
    ],
)
def test_organizations_are_checked(
    organizations: dict[str, Any], console: dict[str, list[str]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that is none, one that two claim, a name that is none, a group of a town that is not there: errors."""
    monkeypatch.setenv("OIDC_SECRET", "x")
    oidc = {
        "issuer": "https://id.example",
        "client_id": "c",
        "client_secret": "env:OIDC_SECRET",
        "address": "https://h.example",
        "roles": {},
        "organizations": console,
    }
    body = {
        "listen": {"east": {"kind": "tcp", "port": 0}},
        "organizations": organizations,
        "console": {"oidc": oidc} if console else {},
    }
    with pytest.raises(ValueError, match=said):
        Settings.model_validate(body)


def test_an_audit_event_in_two_blocks_is_joined_once_each(tmp_path: Path) -> None:
    """What a worker read in the block before tells of the records that came in the next; each is stored once."""
    tower = Tower(tmp_path, au="linux.auditd")
    call = 'type=SYSCALL msg=audit(1763608445.123:7): syscall=59 success=yes pid=11 auid=1000 uid=0 comm="sh" exe="/bin/sh"'
    path = 'type=PATH msg=audit(1763608445.123:7): item=0 name="/tmp/x.sh" nametype=NORMAL'
    tower.send(call, origin="au", prefix="a")
    tower.send(path, origin="au", prefix="b")
    rows = tower.events.search("event.dataset: linux.auditd").rows
    assert {row["event.id"]: row["process.executable"] for row in rows} == {
        "a-0": "/bin/sh",
        "b-0": "/bin/sh",
    }


def test_columns_that_changed_places_are_not_read_by_their_old_places(tmp_path: Path) -> None:
    """An export whose header has the official and the resident the other way round: no line below it is an event with the two
    mixed up, in this block and the next, until the declared header comes again. Another file is not touched."""
    tower = Tower(tmp_path, door="city.resident_view")
    names = catalogue.find("city.resident_view").shape.declared.columns  # type: ignore[attr-defined]
    at = {name: place for place, name in enumerate(names)}
    one, other = names[1], names[2]
    row = [f"v{n}" for n in range(len(names))]
    stamp = next(name for name in names if "日時" in name)
    row[at[stamp]] = "2026/11/20 09:00:00"
    line, header = ",".join(row), ",".join(names)
    changed = ",".join({one: other, other: one}.get(name, name) for name in names)
    tower.send(
        header, line, changed, line, f"{one} と {other} を確かめた", origin="door", peer="a.csv", prefix="a"
    )
    tower.send(line, header, line, origin="door", peer="a.csv", prefix="b")
    tower.send(line, origin="door", peer="b.csv", prefix="c")
    read = tower.events.search("event.dataset: city.resident_view", limit=20).rows
    assert {event["event.id"] for event in read} == {"a-1", "b-2", "c-0"}
    letters = tower.events.search("event.dataset: hinomi.dead_letter", limit=20).rows
    assert {letter["event.id"]: letter["error.message"].partition(":")[0] for letter in letters} == {
        "a-2": "other_header",
        "a-3": "after_other_header",
        "a-4": "other_header",
        "b-0": "after_other_header",
    }
