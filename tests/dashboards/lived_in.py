"""The city of `city` after the night: on every page of the console there is something, and people have done their work on it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dashboards import totp
from dashboards.console.rulebook import Rulebook
from dashboards.reporting.catalogue import find
from dashboards.reporting.document import Ingredients
from dashboards.reporting.publish import publish
from dashboards.tokens import Tokens
from hinomi.alert import Alert, Level
from hinomi.incident import Incident, Verdict
from hinomi.words import Language, Words
from responders.desk import Desk
from responders.duties.drafting import blanks
from responders.duties.duty import duties
from responders.exercises import What
from responders.incidents.shelf import FolderShelf
from responders.responder import desk
from responders.settings import ResponderSettings
from tests.dashboards.city import KEY, NOW, PEOPLE, City, at, seeded_city

LANGUAGES: tuple[Language, ...] = ("ja", "en")
SECRET = "JBSWY3DPEHPK3PXP"
"""The second factor of y.ota's colleague `f.niban`, who has one."""
STARTED, UNDECIDED, APPROVED = list(duties())[:3]
"""Reports of incident 1: drafted, nobody has decided yet, approved."""
RESPONDING = ResponderSettings.model_validate(
    {
        "oncall": {
            "people": {
                "m.kato": {"name_ja": "情報政策課 加藤", "name_en": "Kato", "channels": ["m"], "phone": "000-0000-0001"},
                "k.mori": {
                    "name_ja": "情報政策課長 森",
                    "name_en": "Mori",
                    "channels": ["m"],
                    "phone": "000-0000-0002",
                    "office": "information_system_manager",
                },
            },
            "layers": [{"people": ["m.kato", "k.mori"]}],
            "escalation": {
                grade: [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 15 * (4 - grade), "to": ["k.mori"]}]
                for grade in (1, 2, 3)
            },
        },
        "notify": {"channels": {"m": {"kind": "file", "folder": "messages"}}},
        "contacts": {
            "bodies": {
                "csirt": {"role": "csirt", "name_ja": "市 CSIRT", "phone": "000-0000-0010", "grade": 1},
                "pref": {
                    "role": "prefecture",
                    "name_ja": "県 市町村課",
                    "phone": "000-0000-0011",
                    "hours": "8:30-17:15",
                },
            }
        },
    }
)  # fmt: skip


def lived_in(folder: Path, rulebook: Rulebook) -> City:
    """The stores under the folder; whoever shows them gives the console RESPONDING."""
    city = seeded_city(folder)
    city = replace(city, desk=desk(city.records, city.clock, KEY, FolderShelf(folder / "evidence")))
    _casework(city)
    _exceptions(city)
    _duty(city)
    _exercises(city)
    _accounts(city)
    _reports(city, folder, rulebook)
    return city


def by(name: str) -> dict[str, Any]:
    """Who decides, for the desk."""
    return {"actor": name, "roles": PEOPLE[name][1]}


def _casework(city: City) -> None:
    """Tasks, evidence, calls and reports of incident 1, which itself still waits for a person."""
    service: Desk = city.desk
    cases = service.cases
    cases.add_task("inc-1", "ファイルサーバーの共有権限を確かめる", assignee="m.kato", **by("m.kato"))
    done = cases.add_task("inc-1", "本人に電話する", **by("m.kato"))
    cases.finish_task(done.id, note="接続した覚えはないとのこと", **by("m.kato"))
    cases.take_evidence(
        "inc-1", "pc-0417.mem", b"memory", origin="pc-0417", note="電源を切る前に採取", **by("m.kato")
    )
    service.comment("inc-1", "本人は在宅で、端末は手元にあるとのこと。", **by("m.kato"))
    service.contacts.told(
        "inc-1",
        "csirt",
        "侵害の疑いと対応の状況を伝えた",
        by_way_of="phone",
        at=NOW - timedelta(hours=1),
        answer="了解、9時に再度連絡",
        **by("m.kato"),
    )
    service.clocks.propose("inc-1", UNDECIDED, by="hinomi")
    for duty in (STARTED, APPROVED):
        clock = service.clocks.start(
            "inc-1", duty, NOW - timedelta(hours=2), "当番が確認したため", **by("m.kato")
        )
        draft = service.reports.draft(clock.id, **by("m.kato"))
    written = dict.fromkeys(blanks(draft.body["fields"]), "調査の結果を記入した。")
    draft = service.reports.edit(clock.id, written, base=1, **by("m.kato"))
    service.reports.approve(clock.id, int(draft.body["version"]), **by("y.ota"))
    message = {
        "incident_id": "inc-1",
        "person": "加藤 美咲",
        "subject": "VPN",
        "state": "sent",
        "created": at("03:15").isoformat(),
        "history": [{"at": at("03:15").isoformat(), "channel": "mail", "what": "sent"}],
    }
    city.records.put("notification", "note-1", message)


def _exceptions(city: City) -> None:
    """Incident 5 was no attack: of it came an exception in force and one that waits for a review."""
    alert = Alert(
        id="scan",
        rule_id="rule-scan",
        rule_name="lan.port_scan",
        title_ja="庁内でのポートスキャン",
        title_en="Port scan inside the LAN",
        level=Level.MEDIUM,
        first=at("11:00", 19),
        last=at("11:20", 19),
        detected=at("11:21", 19),
        incident_id="inc-5",
        entities={"source.ip": ["10.30.9.9"], "host.name": ["scan01"]},
        zones=["internet"],
    )
    city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    incident = Incident(
        id="inc-5",
        number=5,
        title_ja="庁内でのポートスキャン(10.30.9.9)",
        title_en="Port scan inside the LAN (10.30.9.9)",
        level=Level.MEDIUM,
        grade=1,
        first=alert.first,
        last=alert.last,
        opened=alert.detected,
        updated=alert.detected,
        alert_ids=[alert.id],
        entities=alert.entities,
        zones=["internet"],
    )
    city.records.put("incident", incident.id, incident.model_dump(mode="json"))
    city.desk.close(incident.id, Verdict.FALSE_POSITIVE, "委託業者の予定作業", **by("m.kato"))
    until, cases = NOW + timedelta(days=90), city.desk.cases
    where = cases.suggest_filter(incident.id, alert.rule_id)
    first = cases.propose_filter(
        incident.id, alert.rule_id, where, "同じ作業を毎週行うため", until, **by("m.kato")
    )
    cases.review_filter(first.id, True, "作業予定を確認した", **by("k.mori"))
    city.clock.advance(timedelta(seconds=1))
    wider = {"source.ip": where["source.ip"]}
    cases.propose_filter(
        incident.id, alert.rule_id, wider, "別の端末でも行う予定のため", until, **by("m.kato")
    )


def _duty(city: City) -> None:
    """Who stands in, who decides for whom, who may act first, what the next one must know; what was asked of the sources."""
    service, end = city.desk, NOW + timedelta(days=3)
    service.roster.stand_in(
        "k.mori", NOW + timedelta(days=1), end, "研修のため", settings=RESPONDING.oncall, **by("m.kato")
    )
    service.roster.note("9時に県へ電話。ファイルサーバーの写しは金庫。", **by("m.kato"))
    service.automation.delegate("m.kato", NOW, end, "出張のため", **by("k.mori"))
    service.acting_first.permit("m.kato", NOW, end, "夜間当番", **by("k.mori"))
    service.replays.ask("fortinet.fortigate", "宣言を直したため", **by("m.kato"))
    view = {
        "name": "夜間の重大",
        "address": "/?view=new&grade=3",
        "page": "/",
        "owner": "y.ota",
        "shared": True,
    }
    city.records.put("view", "view-1", view)


def _exercises(city: City) -> None:
    """A drill and a training of this year."""
    went = "県への連絡が手順より20分遅れた。"
    add = city.desk.exercises.add
    add(
        What.DRILL,
        date(2026, 9, 1),
        "ランサムウェア感染",
        ["加藤 美咲", "森 健一"],
        **by("m.kato"),
        result=Words(went, went),
    )
    add(What.TRAINING, date(2026, 6, 12), "標的型メール", ["情報政策課 12名"], **by("m.kato"))


def _accounts(city: City) -> None:
    """Somebody with a second factor, somebody locked; y.ota has a token."""
    city.users.create("f.niban", "tsukimi-yagura-2026", PEOPLE["m.kato"][1], full_name="二番 文")
    sealed = totp.Safe(KEY).seal(SECRET)
    city.users.change("f.niban", {"totp": sealed, "recovery": []})
    city.users.create("z.kyu", "tsukimi-yagura-2026", PEOPLE["a.kansa"][1], full_name="休職 中")
    city.users.set_disabled("z.kyu", True)
    Tokens(city.records, city.clock).make("y.ota", "SIEM", ["read"], 90)


def _reports(city: City, folder: Path, rulebook: Rulebook) -> None:
    """This week's report, in both languages, as the scheduler leaves them."""
    of = Ingredients(city.events, city.records, city.clock, "火の見市", "", rulebook)
    kind, this_week = find("weekly-operations"), NOW
    for language in LANGUAGES:
        publish(kind.make(of, this_week, language), folder / "reports", city.records)
