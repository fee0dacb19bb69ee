"""The change of shift: whoever comes on call is told what to do first, from when to when they are on call, whom to ask, what is
open, and what the one before left to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hinomi.clock import JST
from hinomi.faults import readable
from hinomi.incident import GRADES, Incident
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.incidents import casefile
from responders.notify.message import plain
from responders.notify.outbox import Outbox
from responders.oncall import Rota
from responders.oncall.standins import NOTE

SHIFT = ("oncall_shift", "now")
_SHOWN = 15
_UNTAKEN = Words("まだ誰も引き受けていない", "nobody has taken")
_GRAVER = Words("引き受けたあとで重くなった", "has become graver since it was taken")


@dataclass(frozen=True, slots=True)
class Brief:
    """An open incident in a line. waits: it calls for somebody to take it (again, where it has become graver); owner: who has it."""

    grade: int
    number: int
    waits: bool
    owner: str
    line: Words

    @property
    def order(self) -> tuple[int, bool, int]:
        """The gravest first, of these what waits for somebody."""
        return -self.grade, not self.waits, self.number


@dataclass(frozen=True, slots=True)
class HandOver:
    """Looks who is on call, and hands over when that is somebody else than before."""

    records: Records
    rota: Rota
    outbox: Outbox
    base: str

    def look(self, now: datetime) -> None:
        """Called each minute."""
        person = self.rota.who(now)
        held = self.records.get(*SHIFT)
        if held is not None and held.body.get("person", "") == person:
            return
        if held is not None and person is not None:
            notes = self.records.find(NOTE, {"state": "open"}, limit=100)
            self._tell(person, held, notes, now)
            for note in notes:
                self.records.put(
                    NOTE, note.id, {**note.body, "state": "handed", "to": person}, expect=note.version
                )
        self.records.put(*SHIFT, {"person": person, "since": now.isoformat()})

    def _tell(self, person: str, shift: Record, notes: Sequence[Record], now: datetime) -> None:
        """shift: the record of the shift that ends; whoever dies after this tells no second time, it is not written again yet."""
        before = shift.body.get("person")
        found = self.records.find(casefile.KIND, {"status": casefile.OPEN}, limit=10_000)
        briefs = sorted(readable(found, _brief), key=lambda one: one.order)
        lines = [
            self._first(briefs, before),
            self._shift(now),
            self._before(before),
            Words("", ""),
            *_open(briefs, len(found)),
            *_left(list(readable(notes, _note))),
            Words("", ""),
            Words(f"画面: {self.base}", f"Console: {self.base}"),
        ]
        n = len(found)
        subject = Words(
            f"当番の引き継ぎ: 今からあなたが当番です(終わっていないもの {n} 件)",
            f"Change of shift: you are on call from now on ({n} open)",
        )
        outside = Words("当番の引き継ぎがあります", "Your shift begins")
        message = plain(subject, lines, outside=outside, link=self.base)
        self.outbox.plan(person, message, key=f"handover|{shift.version}", incident_id="")

    def _first(self, briefs: Sequence[Brief], before: str | None) -> Words:
        waits = next((one for one in briefs if one.waits), None)
        if waits is not None:
            at = f"{self.base}/incidents/{waits.number}"
            why = _GRAVER if waits.owner else _UNTAKEN
            return Words(
                f"まずすること: {why.ja} #{waits.number} を開き、「対応を始める」を押してください: {at}",
                f"First: open #{waits.number}, which {why.en}, and take it: {at}",
            )
        taken = next((one for one in briefs if one.owner), None)
        if taken is None:
            return Words("今すぐすることはありません。", "There is nothing to do at once.")
        if before in self.rota.settings.people:
            return Words(
                "まずすること: 下の終わっていないものについて、前の当番に今の様子を聞いてください。",
                "First: ask whoever was on call before how the open incidents below stand.",
            )
        return Words(
            f"まずすること: #{taken.number} の今の様子を、担当の {taken.owner} に聞いてください。",
            f"First: ask {taken.owner}, who has #{taken.number}, how it stands.",
        )

    def _shift(self, now: datetime) -> Words:
        """From when to when; the end is left out where the rota names the same person for a week."""
        end = self.rota.until(now)
        ja, en = (f" {_clock(end)} まで", f" until {_clock(end)}") if end else ("", "")
        return Words(f"あなたの当番: {_clock(now)} から{ja}", f"You are on call from {_clock(now)}{en}")

    def _before(self, before: str | None) -> Words:
        if not before:
            return Words("前の当番: いませんでした", "Before you nobody was on call")
        known = self.rota.settings.people.get(before)
        if known is None:
            return Words(
                f"前の当番: {before}(今は連絡先の一覧にいません)",
                f"Before you: {before}, who is no contact any more",
            )
        phone = known.phone and f"(電話 {known.phone})", known.phone and f", telephone {known.phone}"
        return Words(f"前の当番: {known.name.ja}{phone[0]}", f"Before you: {known.name.en}{phone[1]}")


def _open(briefs: Sequence[Brief], found: int) -> list[Words]:
    lines = [Words(f"終わっていないインシデント: {found} 件", f"Open incidents: {found}")]
    lines += [one.line for one in briefs[:_SHOWN]]
    if (more := len(briefs) - _SHOWN) > 0:
        lines.append(Words(f"・ほか {more} 件", f"* {more} more"))
    if unread := found - len(briefs):
        lines.append(
            Words(
                f"・記録が壊れていて読めないもの {unread} 件(画面で確かめてください)",
                f"* {unread} whose record is damaged: see the console",
            )
        )
    return lines


def _left(notes: Sequence[Words]) -> list[Words]:
    head = [Words("", ""), Words("前の当番からの申し送り:", "Left by whoever was on call before:")]
    return [*head, *notes] if notes else []


def _note(held: Record) -> Words:
    text, by, at = held.body["text"], held.body["by"], held.body.get("at")
    when = f"{_clock(datetime.fromisoformat(at))} " if at else ""
    return Words(f"・{text}({when}{by})", f"* {text} ({when}{by})")


def _brief(held: Record) -> Brief:
    body = held.body
    grade, number = int(body["grade"]), int(body["number"])
    incident = held.read_as(Incident)
    waits = grade >= casefile.CALLS_FROM and casefile.needs_a_person(incident)
    owner, name = body.get("assignee") or body.get("acknowledged_by"), GRADES[grade]
    began = _clock(datetime.fromisoformat(body["first"]))
    ja = f"担当 {owner}" if owner else "担当なし"
    en = f"with {owner}" if owner else "nobody has it"
    return Brief(
        grade,
        number,
        waits,
        owner or "",
        Words(
            f"・#{number} [段階{grade} {name.ja}] {body['title_ja']}({began} から、{ja})",
            f"* #{number} [grade {grade}, {name.en}] {body['title_en']} (since {began}, {en})",
        ),
    )


def _clock(at: datetime) -> str:
    return f"{at.astimezone(JST):%m/%d %H:%M}"
