"""Reporting deadlines: whoever is on call is told what to do, about which report, until when; from the last day on those who are
asked last (the CISO), too."""

from dataclasses import dataclass
from datetime import datetime

from hinomi.clock import JST, Clock
from hinomi.faults import Faults
from hinomi.store import Records
from hinomi.words import Words
from responders.audit import Audit
from responders.duties.clocks import Clocks, Warning_
from responders.incidents import casefile
from responders.notify.message import plain
from responders.notify.outbox import Outbox
from responders.oncall import Rota

_STAGES = {
    "undecided": Words("報告の要否がまだ決まっていません", "It is not decided whether a report is due"),
    "at_once": Words("急ぐ報告がまだです", "An urgent report is not made yet"),
    "soon": Words("報告の期限が近づいています", "A report is due soon"),
    "day": Words("報告の期限は明日です", "A report is due tomorrow"),
    "due": Words("報告の期限は今日です", "A report is due today"),
    "overdue": Words("報告の期限を過ぎています", "A report is overdue"),
}
_DECIDE = Words(
    "報告が要るかを責任者と決め、気付いた時刻と理由を画面で記録してください。",
    "decide with those in charge whether it is due, and record in the console when the city knew, and why.",
)
_SEND = Words(
    "画面で下書きを仕上げ、責任者の承認を受け、人が送り、送ったことを記録してください。",
    "finish the draft in the console, have it approved, send it yourselves and record that it was sent.",
)
_DAYS = "月火水木金土日"


@dataclass(frozen=True, slots=True)
class Reminding:
    """Called each minute; a stage is told once to each."""

    records: Records
    clock: Clock
    audit: Audit
    rota: Rota
    outbox: Outbox
    base: str

    def look(self, now: datetime) -> None:
        """What one clock holds may be broken: the others are told all the same."""
        with Faults() as faults:
            for warning in Clocks(self.records, self.clock, self.audit).warnings():
                with faults.kept():
                    self._tell(warning, now)

    def _tell(self, warning: Warning_, now: datetime) -> None:
        stage, duty = warning.stage.split("-")[0], warning.duty
        incident, about = str(warning.clock.body["incident_id"]), _about(stage, warning, now)
        held = casefile.surviving(self.records, incident)
        number = held.body.get("number", "?") if held else "?"
        link = f"{self.base}/incidents/{number}/duties/{duty.id}"
        first = _DECIDE if stage == "undecided" else _SEND
        until = _until(warning)
        lines = [
            Words(f"まずすること: {first.ja}", f"First: {first.en}"),
            Words(f"報告の画面: {link}", f"The report: {link}"),
            Words("", ""),
            Words(f"{duty.to.ja}への「{duty.what.ja}」", f"“{duty.what.en}” to: {duty.to.en}"),
            Words(f"期限: {until.ja}", f"Due: {until.en}"),
            *_known(warning),
            Words(
                f"インシデント #{number}: {held.body.get('title_ja', '') if held else ''}",
                f"Incident #{number}: {held.body.get('title_en', '') if held else ''}",
            ),
            Words(
                "火の見が外部に送ることはありません。",
                "Hinomi sends nothing outside by itself.",
            ),
        ]
        subject = Words(
            f"{about.ja}({until.ja}): {duty.what.ja} #{number}",
            f"{about.en} ({until.en}): {duty.what.en} #{number}",
        )
        outside = Words(f"{about.ja}(#{number})", f"{about.en} (#{number})")
        message = plain(subject, lines, outside=outside, link=link, grade=3)
        for person in self._who(stage, now):
            key = f"{warning.clock.id}|{warning.stage}"
            self.outbox.plan(person, message, key=key, incident_id=incident)

    def _who(self, stage: str, now: datetime) -> list[str]:
        who = [self.rota.who(now)]
        if stage in ("due", "overdue"):
            names = [name for step in self.rota.steps(3) for name in step.to if name != "oncall"]
            who += [person for name in names for person in self.rota.persons(name)]
        return list(dict.fromkeys(one for one in who if one))


def _about(stage: str, warning: Warning_, now: datetime) -> Words:
    """`day` begins in the morning before; told only in the night after it, the last day has begun."""
    due = warning.clock.body.get("due")
    if (
        stage == "day"
        and due
        and datetime.fromisoformat(due).astimezone(JST).date() == now.astimezone(JST).date()
    ):
        return _STAGES["due"]
    return _STAGES[stage]


def _until(warning: Warning_) -> Words:
    """The day and time, or in the duty's own words where no number of days is laid down."""
    due, duty = warning.clock.body.get("due", ""), warning.duty
    if not due:
        return duty.when
    guess = ("(推定)", " (inferred)") if duty.due_inferred else ("", "")
    at = datetime.fromisoformat(due).astimezone(JST)
    return Words(
        f"{at.month}月{at.day}日({_DAYS[at.weekday()]}) {at:%H:%M}{guess[0]}",
        f"{at:%Y-%m-%d %H:%M}{guess[1]}",
    )


def _known(warning: Warning_) -> list[Words]:
    known = warning.clock.body.get("known")
    if not known:
        return []
    at = f"{datetime.fromisoformat(known).astimezone(JST):%m/%d %H:%M}"
    return [Words(f"知った時刻: {at}", f"Known since: {at}")]
