"""What whoever is called must know beside what happened: what has been done and what has not, who decides, who is called
next and when, whether a report with a deadline may hang on it. Each in one line, Japanese and English."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.clock import JST
from hinomi.faults import readable
from hinomi.incident import Incident
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.duties.duty import touched
from responders.incidents import casefile
from responders.oncall import Rota
from responders.playbooks.run import KIND, Run, RunState, StepState
from responders.roles import OFFICES, RANKS

_DONE = (StepState.DONE, StepState.STARTED)


@dataclass(frozen=True, slots=True)
class Asking:
    """Reads the incident's plans and the rota as they are now."""

    records: Records
    rota: Rota

    def lines(self, incident: Incident, asked: Sequence[str], waited: timedelta) -> list[Words]:
        """What is said below the story, in order. asked: contacts who were or are being called."""
        runs = list(readable(self._runs(incident), lambda held: held.read_as(Run)))
        return [
            self._standing(runs),
            *self._decides(runs),
            *_reports(incident),
            self._next(incident, asked, waited),
        ]

    def _runs(self, incident: Incident) -> Iterator[Record]:
        held = (self.records.get(KIND, one) for one in incident.run_ids)
        return (one for one in held if one is not None)

    @staticmethod
    def _standing(runs: list[Run]) -> Words:
        """Nobody may believe at night that what is still going on was stopped."""
        acted = [step for run in runs if not run.dry_run for step in run.acts if step.state in _DONE]
        if not acted:
            return Words(
                "火の見はまだ何も止めていません。機器もアカウントもそのままです。",
                "Hinomi has stopped nothing: machines and accounts are as they were.",
            )
        ja, en = "、".join(one.title_ja for one in acted[:3]), "; ".join(one.title_en for one in acted[:3])
        return Words(f"行った操作: {ja}。", f"Done so far: {en}.")

    def _decides(self, runs: list[Run]) -> Iterator[Words]:
        """Who decides on the plan: not always whoever was called."""
        for run in runs:
            if run.state is not RunState.PROPOSED or not run.acts:
                continue
            office, who = OFFICES[run.approver], self.rota.names(self.rota.settings.holders(run.approver))
            above = ("以上の役職", " or an office above") if run.approver != RANKS[-1] else ("", "")
            two = (f"({run.people}人)", f" ({run.people} people)") if run.people > 1 else ("", "")
            ja = f"計画「{run.title_ja}」を決めるのは、{office.ja}{two[0]}{above[0]}です{f'({who.ja})' if who.ja else ''}。"
            en = f"“{run.title_en}” is decided by the {office.en}{two[1]}{above[1]}{f' ({who.en})' if who.en else ''}."
            dry = Words(
                "この計画は予行です。承認しても何も止まりません。",
                "The plan is a dry run: approving it stops nothing.",
            )
            yield Words(f"{ja}{dry.ja if run.dry_run else ''}", f"{en}{f' {dry.en}' if run.dry_run else ''}")
            if run.warned_ja:
                yield Words(run.warned_ja, run.warned_en)

    def _next(self, incident: Incident, asked: Sequence[str], waited: timedelta) -> Words:
        """Who was called, and who is next when nobody takes it."""
        called, began = self.rota.names(asked), casefile.waits_since(incident)
        ja, en = f"呼んだ人: {called.ja}。", f"Called: {called.en}."
        after = self.rota.next_call(incident.grade, began, waited, incident.zones, asked)
        if after is None:
            return Words(
                f"{ja}この先に呼ぶ人はいません。",
                f"{en} Nobody else will be called: it waits for one of them.",
            )
        at, names = _clock(after[0]), self.rota.names(after[1])
        return Words(
            f"{ja}{at} までに誰も「対応を始める」を押さなければ、次に {names.ja} を呼びます。",
            f"{en} Unless somebody takes it by {at}, {names.en} will be called next.",
        )


def _reports(incident: Incident) -> Iterator[Words]:
    """A deadline runs from the moment of knowledge, so it must be noted now."""
    due = [one for one in touched(incident) if one.rule is not None]
    if due:
        to = due[0].to
        yield Words(
            f"{to.ja}への報告の期限がある事案かもしれません。気付いた時刻を控え、画面で「知った時刻」を記録してください。",
            f"A report to the {to.en} may be due: note when you learned of it and record that in the console.",
        )


def _clock(at: datetime) -> str:
    return f"{at.astimezone(JST):%m/%d %H:%M}"
