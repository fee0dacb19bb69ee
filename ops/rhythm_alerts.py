"""What is wrong with a source as an alert, and the line in its incident when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from collectors.addresses import is_address
from collectors.rhythm import Finding, Kind, Usual, wording
from collectors.rhythm.watched import Standing, Watched
from hinomi.alert import Alert, Level
from hinomi.identity import digest
from hinomi.incident import Happening, Incident
from hinomi.store import Records
from hinomi.words import Words
from ops.detection import Give
from responders.incidents import casefile

_MANY, _SHOWN = 3, 12
One = tuple[Watched, Finding]


@dataclass(frozen=True, slots=True)
class _Kind:
    title: Words
    what_to_do: Words
    tags: tuple[str, ...]
    playbook: str


KINDS = {
    Kind.SILENT: _Kind(
        Words("ログの途絶", "Log source gone silent"),
        Words(
            "送り元の機器が動いているか、転送の設定が変えられていないかを確かめてください。攻撃者は、まずログを止めます。",
            "See whether the sender runs and whether its forwarding was changed: attackers stop the log first.",
        ),
        ("attack.t1562.008", "attack.defense-evasion"),
        "source_silent",
    ),
    Kind.FLOOD: _Kind(
        Words("ログの急増", "Log source floods"),
        Words(
            "何の記録が増えたかを検索し、原因(攻撃、障害、ログ設定の変更)を確かめてください。",
            "Search for what grew, and find the cause: an attack, a fault, a changed log setting.",
        ),
        (),
        "",
    ),
    Kind.TIME: _Kind(
        Words("ログの時刻の異常", "Times of a log source jumped"),
        Words(
            "送り元の時計(NTP)と時間帯の設定を確かめてください。時刻がずれた記録は、相関と証拠の両方を狂わせます。",
            "Check the sender's clock (NTP) and time zone: wrong times spoil correlation and evidence.",
        ),
        ("attack.t1070.006",),
        "source_silent",
    ),
    Kind.FORMAT: _Kind(
        Words("ログの形式の変化", "Log source changed its format"),
        Words(
            "送り元の更新や設定の変更を確かめ、hinomi sources doctor で読めない行を見てください。"
            "直したら hinomi replay で取り込み直せます。",
            "Ask what was updated at the sender; see hinomi sources doctor. Once mended, hinomi replay reads them again.",
        ),
        (),
        "source_silent",
    ),
}


def grouped(found: Sequence[One]) -> list[list[One]]:
    """Three or more that go wrong in one moment are told as one: the cause is one."""
    return [list(found)] if len(found) >= _MANY else [[one] for one in found]


def alert(kind: Kind, group: Sequence[One], now: datetime) -> Alert:
    """The alert of sources that went wrong together."""
    about, said = KINDS[kind], _said(group)
    ids = sorted(f"{unit.usual.origin}|{unit.usual.sender}|{one.since:.3f}" for unit, one in group)
    since = min(one.since for _, one in group) or now.timestamp()
    names = ", ".join(wording.name(unit.usual) for unit, _ in group[:_MANY])
    more = Words(f" ほか{len(group) - _MANY}か所", f" and {len(group) - _MANY} more")
    more = more if len(group) > _MANY else Words("", "")
    return Alert(
        id=digest("rhythm", kind, *ids),
        rule_id=f"hinomi-rhythm-{kind}",
        rule_name=f"source_{kind}",
        title_ja=f"{about.title.ja}: {names}{more.ja}",
        title_en=f"{about.title.en}: {names}{more.en}",
        level=Level.MEDIUM,
        kind="operation",
        first=datetime.fromtimestamp(since, UTC),
        last=now,
        detected=now,
        entities=_entities([unit.usual for unit, _ in group]),
        datasets=sorted({unit.usual.source for unit, _ in group if unit.usual.source}),
        event_count=len(group),
        fields={"hinomi.origin": sorted({unit.usual.origin for unit, _ in group}), **group[0][1].figures},
        reason_ja=said.ja,
        reason_en=said.en,
        what_to_do_ja=about.what_to_do.ja,
        what_to_do_en=about.what_to_do.en,
        tags=list(about.tags),
        guideline=["MIC-6.1-(6)-a", "MIC-7.1"],
        playbook=about.playbook,
    )


def _said(group: Sequence[One]) -> Words:
    if len(group) == 1:
        return group[0][1].said
    shown = group[:_SHOWN]
    return Words(
        f"{len(group)} か所で同時に起きました。"
        + " / ".join(f"{wording.name(unit.usual)}: {one.said.ja}" for unit, one in shown),
        f"{len(group)} at once. " + " / ".join(f"{wording.name(u.usual)}: {one.said.en}" for u, one in shown),
    )


def _entities(group: Sequence[Usual]) -> dict[str, list[str]]:
    """Senders as machines, so that a machine's silence joins the incident about it."""
    found: dict[str, list[str]] = {}
    for usual in group:
        if usual.sender:
            found.setdefault("source.ip" if is_address(usual.sender) else "host.name", []).append(
                usual.sender
            )
    return found


def note_end(records: Records, standing: Standing, through: float, now: datetime, give: Give) -> None:
    """It is over: the alert ends, and its incident says so once."""
    held = records.get("alert", standing.alert)
    if held is None:
        return
    told = held.read_as(Alert)
    said = wording.over(standing.kind, through - (standing.since or told.first.timestamp()))
    line = Happening(
        time=now,
        kind="comment",
        actor="hinomi",
        ja=f"{told.title_ja}: {said.ja}",
        en=f"{told.title_en}: {said.en}",
    )

    def noted(incident: Incident) -> Incident:
        known = any(one.kind == "comment" and one.ja == line.ja for one in incident.timeline)
        return incident if known else casefile.with_line(incident, line)

    give([told.model_copy(update={"last": now, "fields": {**told.fields, "hinomi.over": now.isoformat()}})])
    if told.incident_id and records.get(casefile.KIND, told.incident_id) is not None:
        casefile.change(records, told.incident_id, noted)
