"""The contact tree: who is told, in which order, and who was told what, when, by whom. On paper when the network is down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from hinomi.clock import JST, Clock
from hinomi.config import Section
from hinomi.errors import InputError
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.counter import Counter
from responders.duties.docx import Row
from responders.duties.printed import pdf
from responders.incidents import casefile

KIND = "told"
Role = Literal[
    "ciso",
    "csirt",
    "department",
    "vendor",
    "prefecture",
    "security_cloud",
    "mic",
    "nco",
    "jlis",
    "ppc",
    "police",
    "jpcert",
    "ipa",
    "other",
]
ROLES: dict[str, Words] = {
    "ciso": Words("CISO", "CISO"),
    "csirt": Words("CSIRT・統一的な窓口", "CSIRT, the one window"),
    "department": Words("所管課", "the section in charge"),
    "vendor": Words("委託・保守事業者", "contractor or maintainer"),
    "prefecture": Words("都道府県 市区町村担当課", "prefecture, municipal affairs"),
    "security_cloud": Words("自治体情報セキュリティクラウド SOC", "local governments' security cloud SOC"),
    "mic": Words("総務省", "Ministry of Internal Affairs and Communications"),
    "nco": Words("国家サイバー統括室", "National Cybersecurity Office"),
    "jlis": Words("J-LIS", "J-LIS"),
    "ppc": Words("個人情報保護委員会", "Personal Information Protection Commission"),
    "police": Words("都道府県警察(サイバー)", "prefectural police (cyber)"),
    "jpcert": Words("JPCERT/CC", "JPCERT/CC"),
    "ipa": Words("IPA", "IPA"),
    "other": Words("その他", "other"),
}


class Body(Section):
    """One to be told. order: inside the tree, lowest first; grades: from which grade on; hours: when they answer."""

    role: Role
    name_ja: str
    phone: str = ""
    mail: str = ""
    hours: str = ""
    note: str = ""
    order: int = 50
    grade: int = Field(default=2, ge=0, le=3)


class ContactSettings(Section):
    """`contacts:` of the configuration: bodies by a short name; printed: the line at the card's head."""

    bodies: dict[str, Body] = Field(default_factory=dict)
    printed: str = ""

    def missing(self) -> list[Words]:
        """Roles of the tree that nobody stands for: the doctor says so, the card shows them as blanks."""
        there = {body.role for body in self.bodies.values()}
        return [name for role, name in ROLES.items() if role not in there and role != "other"]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Writes down who was told."""

    records: Records
    clock: Clock
    audit: Audit

    def told(
        self,
        incident_id: str,
        whom: str,
        what: str,
        *,
        by_way_of: str,
        at: datetime,
        actor: str,
        roles: Sequence[str],
        answer: str = "",
    ) -> Record:
        """Somebody told a body something: when, by telephone, mail or form, and what they answered."""
        counter = Counter(self.records, self.clock, self.audit)
        counter.worker(actor, roles, "contact.told", incident_id)
        incident, what = casefile.read(self.records, incident_id), counter.reason(what)
        if at > self.clock.now():
            raise InputError("連絡した時刻が先になっています。", "the time lies ahead")
        body = {
            "incident_id": incident.id,
            "whom": whom,
            "what": what,
            "way": by_way_of,
            "at": at.isoformat(),
            "by": actor,
            "answer": answer[:2000],
        }
        self.audit.append(actor=actor, action="contact.told", target=incident.id, details=body)
        return self.records.append(KIND, body)

    def of(self, incident_id: str) -> list[Record]:
        """Who was told what, in the order of the telling; also by those who worked on an incident that this one took in."""
        whose = casefile.family_of(self.records, incident_id)
        found = self.records.find(KIND, {"incident_id": whose}, limit=1000)
        return sorted(found, key=lambda one: str(one.body["at"]))


def due(settings: ContactSettings, grade: int, told: Sequence[Record]) -> list[tuple[str, Body]]:
    """Whom the tree still asks to tell at this grade. Who was told is written by short name or as people call them."""
    done = {str(one.body["whom"]).strip() for one in told}
    open_ = [
        (name, body)
        for name, body in settings.bodies.items()
        if body.grade <= grade and done.isdisjoint({name, body.name_ja.strip()})
    ]
    return sorted(open_, key=lambda pair: (pair[1].order, pair[0]))


def card(settings: ContactSettings, now: datetime, oncall: Sequence[str] = ()) -> bytes:
    """The card as PDF: the tree in its order, blanks marked, room to write who was told when."""
    bodies = sorted(settings.bodies.values(), key=lambda body: (body.order, body.name_ja))
    rows = [Row("今の当番", "、".join(oncall) or "【要記入】", not oncall)]
    rows += [_row(body) for body in bodies]
    rows += [Row(name.ja, "【要記入】電話・時間・担当", blank=True) for name in settings.missing()]
    rows += [Row("記録", "いつ・誰に・何を・誰が\n\n\n\n\n\n")]
    lead = [
        settings.printed or "網が使えないときの連絡先。紙で各課に置き、3か月ごとに差し替える。",
        f"{now.astimezone(JST):%Y年%m月%d日 %H:%M} 印刷",
    ]
    return pdf(
        "緊急連絡先カード", lead, rows, made=now, footer="火の見 緊急連絡先カード", head=("誰に", "連絡先")
    )


def _row(body: Body) -> Row:
    ways = [part for part in (body.phone, body.mail, body.hours, body.note) if part]
    title = f"{ROLES[body.role].ja}\n{body.name_ja}(段階 {body.grade} から)"
    return Row(title, "\n".join(ways) or "【要記入】電話・時間・担当", not body.phone)
