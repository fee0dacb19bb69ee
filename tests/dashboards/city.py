"""A small city in a store of its own: users, a night's incidents, their events, sources and counts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from argon2 import PasswordHasher

from dashboards.users import Role, Users
from hinomi.alert import Alert, Level
from hinomi.batch import DEAD_LETTERS, Batch
from hinomi.clock import JST, FixedClock
from hinomi.incident import Happening, Incident, Status
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from responders.desk import Desk
from responders.playbooks.planning import plan
from responders.responder import Responder, desk
from responders.settings import ResponderSettings

NOW = datetime(2026, 11, 20, 8, 45, tzinfo=JST).astimezone(UTC)
KEY = b"k" * 32
PASSWORD = "tsukimi-yagura-2026"
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \x1b[31mred\x1b[0m \u202egnp.exe =HYPERLINK(1)"
)
PEOPLE: dict[str, tuple[str, list[str]]] = {
    "m.kato": ("加藤 美咲", [Role.ANALYST]),
    "k.mori": ("森 健一", [Role.INFORMATION_SYSTEM_MANAGER]),
    "y.ota": ("太田 裕子", [Role.CHIEF_SECURITY_OFFICER]),
    "a.kansa": ("監査 明", [Role.VIEWER]),
    "s.kanri": ("管理 進", [Role.ADMIN]),
    "t.kensa": ("検査 徹", [Role.AUDITOR]),
}


def at(clock_time: str, day: int = 20) -> datetime:
    """A time in Japan on 2026-11-`day`, as UTC."""
    hours, minutes = map(int, clock_time.split(":"))
    return datetime(2026, 11, day, hours, minutes, tzinfo=JST).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class City:
    """The stores and the clock of a seeded city."""

    events: ParquetEvents
    records: SqliteRecords
    clock: FixedClock
    users: Users
    desk: Desk
    responder: Responder

    def close(self) -> None:
        """Let go of the stores."""
        self.records.close()
        self.events.close()


def opened_city(folder: Path) -> City:
    """The stores of a folder, as they are."""
    clock = FixedClock(NOW)
    records = SqliteRecords(folder / "records.sqlite", clock=clock)
    return City(
        ParquetEvents(folder / "events", clock=clock),
        records,
        clock,
        Users(records, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        desk(records, clock, KEY),
        Responder.of(records, clock, ResponderSettings(), KEY),
    )


def empty_city(folder: Path) -> City:
    """Stores with the people and nothing else."""
    city = opened_city(folder)
    for name, (full_name, roles) in PEOPLE.items():
        city.users.create(name, PASSWORD, roles, full_name=full_name)
    return city


def seeded_city(folder: Path) -> City:
    """The night of the attack story, told in a few dozen events."""
    city = empty_city(folder)
    city.events.append(
        [
            Batch.of("fortinet.fortigate", pl.DataFrame(_vpn()), origin="edge", ingested=at("03:15")),
            Batch.of("microsoft.m365_audit", pl.DataFrame(_downloads()), origin="m365", ingested=at("05:06")),
            Batch.of("squid.access", pl.DataFrame(_web()), origin="proxy", ingested=at("08:40")),
            Batch.of(DEAD_LETTERS, pl.DataFrame(_dead()), origin="edge", ingested=at("06:00")),
        ]
    )
    for alert in ALERTS:
        city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    for incident in INCIDENTS:
        city.records.put("incident", incident.id, incident.model_dump(mode="json"))
    _propose(city)
    for number, body in enumerate(SOURCES):
        city.records.put("source", f"health|{number}", body)
    for number, (what, dataset, reason, n) in enumerate(COUNTS):
        body = {"process": "worker-0", "what": what, "dataset": dataset, "reason": reason, "n": n}
        city.records.put("count", str(number), body)
    return city


def _propose(city: City) -> None:
    """The plan of the VPN playbook for incident 1, made as the responder makes it."""
    runs = city.responder.runs
    incident = INCIDENTS[0]
    run = runs.propose(
        plan(incident, ALERTS[:3], runs.playbooks["vpn_compromise"], runs.settings, city.clock.now())
    )
    changed = incident.model_copy(update={"run_ids": [run.id]})
    city.records.put("incident", incident.id, changed.model_dump(mode="json"))


def _vpn() -> list[dict[str, Any]]:
    names = ["t.yamada", "h.suzuki", "k.sato", "y.tanaka", "m.ito", "n.abe", "r.ono", "s.hara"]
    failures = [
        {
            "@timestamp": at("02:40") + timedelta(minutes=4 * n),
            "event.id": f"vpn-{n}",
            "event.action": "ssl-login-fail",
            "event.outcome": "failure",
            "user.name": name,
            "source.ip": "203.0.113.66",
            "source.zone": "external",
            "source.geo.country_iso_code": "RO",
            "event.original": f'date=2026-11-20 devname="fw-edge01" action="ssl-login-fail" user="{name}"'
            " remip=203.0.113.66",
        }
        for n, name in enumerate(names)
    ]
    hostile = failures[0] | {
        "event.id": "vpn-hostile",
        "user.name": HOSTILE,
        "event.original": f'user="{HOSTILE}"',
    }
    success = failures[0] | {
        "@timestamp": at("03:14"),
        "event.id": "vpn-success",
        "event.action": "tunnel-up",
        "event.code": "0101039424",
        "event.outcome": "success",
        "event.original": 'date=2026-11-20 action="tunnel-up" user="t.yamada" remip=203.0.113.66'
        " tunnelip=10.50.3.17",
    }
    return [*failures, hostile, success]


def _downloads() -> list[dict[str, Any]]:
    return [
        {
            "@timestamp": at("04:40") + timedelta(seconds=30 * n),
            "event.id": f"down-{n}",
            "event.action": "FileDownloaded",
            "event.outcome": "success",
            "user.name": "t.yamada",
            "client.ip": "203.0.113.66",
            "source.ip": "203.0.113.66",
            "file.name": f"窓口対応記録_{n:03}.xlsx",
            "event.original": f'{{"Operation":"FileDownloaded","SourceFileName":"窓口対応記録_{n:03}.xlsx"}}',
        }
        for n in range(40)
    ]


def _web() -> list[dict[str, Any]]:
    return [
        {
            "@timestamp": at("00:10") + timedelta(minutes=n * 2, seconds=n % 50),
            "event.id": f"web-{n}",
            "event.action": "TCP_MISS",
            "user.name": "k.sato",
            "source.ip": f"10.30.8.{n % 200 + 1}",
            "url.domain": "www.example.jp",
            "http.response.status_code": 200 if n % 9 else 503,
            "event.original": f"1763.{n} 84 10.30.8.{n % 200 + 1} TCP_MISS/200 GET http://www.example.jp/ -",
        }
        for n in range(240)
    ]


def _dead() -> list[dict[str, Any]]:
    return [
        {
            "@timestamp": at("05:59"),
            "event.id": f"dead-{n}",
            "event.original": f"\x00\x1b]0;{HOSTILE}",
            "error.message": "unknown_format" if n else "not_understood",
        }
        for n in range(3)
    ]


def _alert(identity: str, **fields: Any) -> Alert:
    standing: dict[str, Any] = {
        "id": identity,
        "rule_id": f"rule-{identity}",
        "detected": fields["last"] + timedelta(seconds=40),
        "incident_id": "inc-1",
        "level": Level.HIGH,
    }
    return Alert(**(standing | fields))


ALERTS = [
    _alert(
        "spray",
        rule_name="telework.vpn_spray",
        title_ja="VPN へのパスワードスプレー",
        title_en="VPN password spray",
        kind="correlation",
        first=at("02:40"),
        last=at("03:08"),
        entities={"source.ip": ["203.0.113.66"]},
        zones=["external", "telework"],
        datasets=["fortinet.fortigate"],
        event_ids=["vpn-0", "vpn-1", "vpn-2", "vpn-hostile"],
        event_count=9,
        reason_ja="1つのアドレスが28分間に8人のサインインに失敗しました。",
        reason_en="One address failed to sign in as 8 people within 28 minutes.",
        what_to_do_ja="送信元を遮断する前に、同じ送信元の成功がないかを確かめてください。",
        what_to_do_en="Before blocking the source look for a success from the same address.",
        tags=["attack.credential-access", "attack.t1110.003"],
        guideline=["MIC-6.2-(2)"],
        playbook="vpn_compromise",
    ),
    _alert(
        "abroad",
        rule_name="telework.vpn_success_after_spray",
        title_ja="国外からの VPN サインイン成功",
        title_en="VPN sign-in from abroad",
        first=at("03:14"),
        last=at("03:14"),
        level=Level.CRITICAL,
        entities={"user.name": ["t.yamada"], "source.ip": ["203.0.113.66"]},
        zones=["telework"],
        datasets=["fortinet.fortigate"],
        event_ids=["vpn-success"],
        reason_ja="失敗を重ねた国外アドレスから t.yamada が成功しました。",
        reason_en="t.yamada succeeded from the foreign address that had failed before.",
        what_to_do_ja="本人に電話し、接続した覚えがなければアカウントを停止してください。",
        what_to_do_en="Call the person; if it was not them disable the account.",
        tags=["attack.initial-access", "attack.t1078"],
        playbook="vpn_compromise",
    ),
    _alert(
        "download",
        rule_name="saas.mass_download",
        title_ja="短時間の大量ダウンロード",
        title_en="Mass download",
        first=at("04:40"),
        last=at("05:00"),
        entities={"user.name": ["t.yamada"]},
        zones=["cloud"],
        datasets=["microsoft.m365_audit"],
        event_ids=[f"down-{n}" for n in range(40)],
        event_count=40,
        tags=["attack.exfiltration"],
    ),
    _alert(
        "rpa",
        rule_name="city.rpa_interactive",
        title_ja="RPA アカウントの対話利用",
        title_en="RPA account used interactively",
        first=at("13:05", 19),
        last=at("13:30", 19),
        incident_id="inc-2",
        entities={"user.name": ["rpa02"], "host.name": ["pc-0233"]},
        zones=["internet", "mynumber"],
        datasets=["city.rpa_operation"],
    ),
    _alert(
        "hostile",
        rule_name=HOSTILE,
        title_ja=HOSTILE,
        title_en=HOSTILE,
        first=at("02:00"),
        last=at("02:00"),
        level=Level.LOW,
        incident_id="inc-3",
        entities={"user.name": [HOSTILE], "host.name": [HOSTILE]},
        reason_ja=HOSTILE,
        reason_en=HOSTILE,
        what_to_do_ja=HOSTILE,
        what_to_do_en=HOSTILE,
        tags=[HOSTILE],
    ),
]


def _incident(number: int, **fields: Any) -> Incident:
    standing: dict[str, Any] = {"id": f"inc-{number}", "number": number, "level": Level.HIGH}
    return Incident(**(standing | {"opened": fields["first"], "updated": fields["last"]} | fields))


INCIDENTS = [
    _incident(
        1,
        title_ja="VPN アカウント t.yamada が侵害された疑い",
        title_en="VPN account t.yamada is likely compromised",
        grade=3,
        grade_reason_ja="LGWAN接続系への到達があり、アカウントが乗っ取られた疑いがあるため",
        grade_reason_en="An account is likely taken over and the LGWAN segment was reached",
        level=Level.CRITICAL,
        first=at("02:40"),
        last=at("05:00"),
        opened=at("03:15"),
        alert_ids=["spray", "abroad", "download"],
        entities={
            "user.name": ["t.yamada", "adm.sato"],
            "source.ip": ["203.0.113.66", "10.50.3.17"],
            "host.name": ["pc-0417", "srv-file01"],
        },
        zones=["telework", "internet", "lgwan"],
        tags=["attack.t1110.003", "attack.t1078", "attack.t1021"],
        guideline=["MIC-6.2-(2)", "MIC-7.3-(2)"],
        story_ja="2時40分から国外アドレス 203.0.113.66 が8人分のサインインに失敗し、3時14分に t.yamada として"
        "成功しました。その後、LGWAN接続系のファイルサーバーへの通信と、文書40件のダウンロードが続いています。",
        story_en="From 02:40 the foreign address 203.0.113.66 failed as 8 people and succeeded at 03:14 as"
        " t.yamada. Traffic to a file server of the LGWAN segment and 40 downloads followed.",
        timeline=[
            Happening(
                time=at("03:08"),
                kind="alert",
                actor="",
                ja="VPN へのパスワードスプレー",
                en="VPN password spray",
                ref="spray",
            ),
            Happening(
                time=at("03:14"),
                kind="alert",
                actor="",
                ja="国外からの VPN サインイン成功",
                en="VPN sign-in from abroad",
                ref="abroad",
            ),
            Happening(
                time=at("03:15"),
                kind="notify",
                actor="hinomi",
                ja="当番の 加藤 美咲 へメールとチャットで知らせました",
                en="Told 加藤 美咲 on call by mail and chat",
            ),
            Happening(
                time=at("05:00"),
                kind="alert",
                actor="",
                ja="短時間の大量ダウンロード",
                en="Mass download",
                ref="download",
            ),
        ],
    ),
    _incident(
        2,
        title_ja="RPA アカウント rpa02 による住民情報の大量照会",
        title_en="Bulk view of resident records by RPA account rpa02",
        grade=3,
        status=Status.IN_PROGRESS,
        assignee="m.kato",
        acknowledged_by="m.kato",
        acknowledged_at=at("13:40", 19),
        first=at("13:05", 19),
        last=at("13:30", 19),
        alert_ids=["rpa"],
        entities={"user.name": ["rpa02"], "host.name": ["pc-0233"]},
        zones=["internet", "mynumber"],
        story_ja="RPA用アカウント rpa02 が端末 pc-0233 で対話的に使われ、住民記録 1,200 件が照会されました。",
        story_en="The RPA account rpa02 was used at pc-0233 by hand and viewed 1,200 resident records.",
    ),
    _incident(
        3,
        title_ja=HOSTILE,
        title_en=HOSTILE,
        level=Level.LOW,
        first=at("02:00"),
        last=at("02:00"),
        alert_ids=["hostile"],
        entities={"user.name": [HOSTILE], "host.name": [HOSTILE]},
        zones=[HOSTILE],
        story_ja=HOSTILE,
        story_en=HOSTILE,
        timeline=[Happening(time=at("02:00"), kind="comment", actor=HOSTILE, ja=HOSTILE, en=HOSTILE)],
    ),
    _incident(
        4,
        title_ja="職員端末でのマルウェア検出(駆除済み)",
        title_en="Malware found and removed on a staff PC",
        status=Status.CLOSED,
        level=Level.MEDIUM,
        first=at("10:00", 18),
        last=at("10:05", 18),
        acknowledged_by="m.kato",
        acknowledged_at=at("10:09", 18),
        assignee="m.kato",
        entities={"host.name": ["pc-0102"]},
        zones=["internet"],
        verdict="true_positive",
    ),
]

SOURCES: list[dict[str, Any]] = [
    {
        "origin": "fw-edge01",
        "source": "fortinet.fortigate",
        "last_received": at("08:44").isoformat(),
        "received": 81_204,
        "parsed": 81_202,
        "dead_letters": 2,
    },
    {
        "origin": "proxy01",
        "source": "squid.access",
        "last_received": at("06:10").isoformat(),
        "received": 40_110,
        "parsed": 40_110,
        "dead_letters": 0,
    },
    {
        "origin": "portal",
        "source": "city.portal_application",
        "last_received": at("08:30").isoformat(),
        "received": 100,
        "parsed": 60,
        "dead_letters": 40,
    },
    {"origin": "juki", "source": "city.resident_view", "last_received": None, "received": 0},
    {"pin": True, "origin": "syslog", "peer": "10.30.1.5", "source": "isc.bind"},
]
COUNTS = [
    ("masked", "city.portal_application", "my_number", 12),
    ("dropped", "squid.access", "health_check", 480),
    ("received", "fw-edge01", "", 81_204),
]
