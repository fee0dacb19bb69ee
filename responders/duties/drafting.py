"""The first draft of a report, filled from the incident as far as the incident knows; every blank is marked.

What only people can know (how many residents, what was published) is never guessed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.clock import JST
from hinomi.incident import Happening, Incident
from hinomi.store import Record
from responders.duties.docx import Row
from responders.duties.duty import Duty, Item, duties

_WEEKDAYS = "月火水木金土日"
BLANK = "【要記入】"
_INDICATORS = {
    "source.ip": "アドレス(送信元)",
    "destination.ip": "アドレス(通信先)",
    "url.domain": "名前(URL)",
    "dns.question.name": "名前(DNS)",
    "file.hash.sha256": "SHA-256",
    "threat.indicator.name": "脅威情報",
}
_UNNAMED = "個人・端末・アカウントの名前と、手口の細部は書かない"
_NO_NAMES = "職員の名前・アカウントは、提出先が求めるものだけを書く"
_DONE = ("playbook", "status", "task", "evidence")


def filled(duty: Duty, incident: Incident, clock: Record, body: str = "") -> dict[str, str]:
    """Item → text. A text that begins with 【要記入】 is a blank, with a hint behind it."""
    return {item.key: _of(item.key, incident, clock.body, body) for item in duty.items}


def of_another_form(duty: Duty, fields: Mapping[str, str]) -> bool:
    """Whether a version was written when its duty asked for other items."""
    return fields.keys() != {item.key for item in duty.items}


def asked(duty: Duty, fields: Mapping[str, str]) -> list[Item]:
    """The items of a version: the duty's; of one that was written when the duty asked for others, those that it has."""
    if fields.keys() <= {item.key for item in duty.items}:
        return list(duty.items)
    titles = {item.key: item.title for one in duties().values() for item in one.items}
    titles |= {item.key: item.title for item in duty.items}
    return [Item(key, titles.get(key, key)) for key in fields]


def blanks(fields: Mapping[str, str]) -> list[str]:
    """Items that hold a blank anywhere."""
    return [key for key, text in fields.items() if BLANK in text or not text.strip()]


def rows(duty: Duty, fields: Mapping[str, str]) -> list[Row]:
    """As they stand in the document."""
    open_ = set(blanks(fields))
    return [Row(item.title, fields.get(item.key, BLANK), item.key in open_) for item in asked(duty, fields)]


def heading(duty: Duty, clock: Mapping[str, Any], city: str) -> list[str]:
    """Who reports, until when with the day counted, and that nobody but a person sends it."""
    sure = "(推定)" if duty.due_inferred else ""
    until = f"期限: {duty.when.ja}{sure}"
    if due := clock.get("due"):
        until = f"期限: {_day(due)}まで{sure}。知った日 {_day(clock['known'])}を1日目とする({duty.when.ja})"
    whose = [] if any(item.key == "body" for item in duty.items) else [f"報告する団体: {city or BLANK}"]
    return [
        *whose,
        until,
        "火の見がこれを送ることはありません。提出先の様式に移し、送ったことを画面で記録してください。",
    ]


def _day(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(JST)
    return f"{at.year}年{at.month}月{at.day}日({_WEEKDAYS[at.weekday()]})"


def _of(key: str, incident: Incident, clock: Mapping[str, Any], body: str) -> str:
    known = clock.get("known", "")
    match key:
        case "outline":
            rule = f"規則の該当号: {BLANK}\n委託の有無: {BLANK}"
            return f"{_event(incident, known)}\n{rule}\n経過: {BLANK} {_NO_NAMES}\n{_course(incident)}"
        case "slip":
            return f"{_event(incident, known, inside=True)}\n経過:\n{_course(incident)}"
        case "event":
            return _event(incident, known)
        case "course":
            return f"{_event(incident, known)}\n経過: {BLANK} {_NO_NAMES}"
        case "when":
            return f"発生: {_began(incident)}\n認知: {_time(known) or BLANK}"
        case "facts":
            return (
                f"発生日: {_began(incident)}\n発覚日: {_time(known) or BLANK}\n起きたこと: {BLANK} {_UNNAMED}"
            )
        case "found":
            return _finder(incident)
        case "systems":
            zones = [ZONE_WORDS[Zone(zone)].ja for zone in incident.zones if zone in set(Zone)]
            hosts = "、".join(incident.entities.get("host.name", [])[:10])
            return f"領域: {'、'.join(zones) or BLANK}\n端末・サーバ: {hosts or BLANK}"
        case "done":
            return _done(incident, _DONE) or BLANK
        case "response":
            return _response(incident)
        case "prevention":
            return f"実施済み:\n{_response(incident)}\n今後の予定: {BLANK}"
        case "measures":
            return f"{BLANK} 済ませたことと、今後の予定。{_UNNAMED}"
        case "logs":
            return f"{BLANK} 保全した証拠の目録(封印された ZIP の manifest.json)を添える"
        case "body":
            return body or f"{BLANK} 団体名・担当課・氏名・電話・メール"
        case "kinds":
            return f"{BLANK} 氏名・住所・個人番号などの別と、媒体(紙・電子)"
        case "people":
            return f"{BLANK} 分かっている人数。分からなければ「調査中」、最大の数"
        case "cause":
            return f"{BLANK} 発生主体(庁内・委託先・外部)を含む"
        case "effects":
            return f"{BLANK} 個人情報・業務・他団体への影響"
        case "cut":
            return f"{BLANK} LGWAN との接続を遮断したか、いつからか\n行ったこと:\n{_response(incident)}"
        case "threat":
            return f"{BLANK} 団体の計画に定める脅威度"
        case "window":
            return f"{BLANK} 住民・報道が問い合わせる先と時間"
        case "entry":
            return f"{BLANK} どこから入られたか(推定)と、何が壊れ、止まったか"
        case "indicators":
            return _indicators(incident)
        case "next":
            return f"{BLANK} 調査・復旧・続報の予定"
    return BLANK


def _event(incident: Incident, known: str, *, inside: bool = False) -> str:
    """When, what and how it came to light. inside: for the city itself, which may read who of it wrote it down."""
    return "\n".join(
        [
            f"発生日: {_began(incident)}",
            f"発覚日: {_time(known) or BLANK}",
            f"事案: {incident.story_ja}",
            f"発見者: {_finder(incident, inside=inside)}",
        ]
    )


def _began(incident: Incident) -> str:
    """The first sign in a log. What a person reported says when it was known, not when it began."""
    reported = incident.fields.get("known_at")
    if reported and incident.first >= datetime.fromisoformat(str(reported)):
        return f"{BLANK} 人からの届けで、いつ起きたかはログにない"
    return f"{_time(incident.first.isoformat())}(ログ上の最初の兆候)"


def _finder(incident: Incident, *, inside: bool = False) -> str:
    if by := incident.fields.get("opened_by"):
        return f"職員などからの届け({by} が記録)" if inside else "職員などからの届け"
    return "火の見(監視システム)の検知"


def _indicators(incident: Incident) -> str:
    """What the alerts name that is not the city's own; a person takes out what does not belong."""
    found = [
        f"・{title}: {'、'.join(incident.entities[name][:20])}"
        for name, title in _INDICATORS.items()
        if incident.entities.get(name)
    ]
    return "\n".join([f"{BLANK} 無関係なもの・庁内のものを除く", *found]) if found else BLANK


def _course(incident: Incident) -> str:
    told = [line for line in incident.timeline if line.kind != "notify"]
    return "\n".join(_line(line) for line in sorted(told, key=lambda line: line.time)[:25])


def _response(incident: Incident) -> str:
    """What the playbooks did, for outside: what people wrote down in their own words names colleagues and machines."""
    return f"{BLANK} 人が行ったことを加える。{_NO_NAMES}\n{_done(incident, ['playbook'])}".rstrip()


def _done(incident: Incident, kinds: Collection[str]) -> str:
    did = [line for line in incident.timeline if line.kind in kinds]
    return "\n".join(_line(line) for line in did[-15:])


def _line(line: Happening) -> str:
    return f"・{line.time.astimezone(JST):%m/%d %H:%M} {line.ja[:200]}"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(JST):%Y年%m月%d日 %H時%M分}" if text else ""
