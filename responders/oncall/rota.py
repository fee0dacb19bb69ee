"""The rota: who is on call at a moment, with Japanese holidays and the New Year closing (12/29–1/3)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hinomi.calendar import is_closed
from hinomi.words import Words
from responders.oncall.settings import Layer, OnCallSettings, Override, Step
from responders.roles import RANKS

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True)
class Rota:
    """Answers who is on call; all times zoned."""

    settings: OnCallSettings
    standins: Callable[[], Sequence[Override]] = tuple
    """Overrides that people entered while the tower runs."""

    def still(self) -> "Rota":
        """The rota with the stand-ins as they are now, read once: for questions about many moments."""
        held = tuple(self.standins())
        return replace(self, standins=lambda: held)

    def who(self, at: datetime) -> str | None:
        """The contact on call, None when the rota has a hole."""
        for override in (*self.standins(), *self.settings.overrides):
            if override.start <= at < override.end:
                return override.person
        local = at.astimezone(ZoneInfo(self.settings.time_zone))
        for layer in self.settings.layers:
            start = _shift(layer, local)
            if start is not None:
                week = (start - layer.turns_from).days // 7
                return layer.people[week % len(layer.people)]
        return None

    def until(self, at: datetime, days: int = 7) -> datetime | None:
        """When somebody else than now is on call; None where that is not within so many days."""
        _, _, end = next(self.spells(at, days))
        return end if end < at + timedelta(days=days) else None

    def spells(self, start: datetime, days: int) -> Iterator[tuple[str | None, datetime, datetime]]:
        """(who, from, to), one after another over so many days from `start` on; who is None in a hole. From and to are where
        layers, overrides and stand-ins begin and end, to the second, in the time zone of `start`."""
        rota, end = self.still(), start + timedelta(days=days)
        who, began = rota.who(start), start
        for at in rota._turns(start, end):
            now = rota.who(at)
            if now != who:
                yield who, began, at
                who, began = now, at
        yield who, began, end

    def due(self, grade: int, waited: timedelta, at: datetime, zones: Sequence[str] = ()) -> list[str]:
        """Contacts who should have been asked after so long without acknowledgement, in order."""
        asked: list[str] = []
        for step in self.steps(grade, zones):
            if timedelta(minutes=step.after_minutes) <= waited:
                for name in step.to:
                    asked += self._behind(name, grade, at)
        return list(dict.fromkeys(asked))

    def next_step(self, grade: int, waited: timedelta, zones: Sequence[str] = ()) -> timedelta | None:
        """How long after the beginning the next step of the chain comes, None after the last."""
        steps = (timedelta(minutes=step.after_minutes) for step in self.steps(grade, zones))
        return min((step for step in steps if step > waited), default=None)

    def next_call(
        self,
        grade: int,
        began: datetime,
        waited: timedelta,
        zones: Sequence[str] = (),
        asked: Sequence[str] = (),
    ) -> tuple[datetime, list[str]] | None:
        """When somebody beside those who were asked is called next, and who; None where nobody else is."""
        later = self.next_step(grade, waited, zones)
        while later is not None:
            at = began + later
            if fresh := [one for one in self.due(grade, later, at, zones) if one not in asked]:
                return at, fresh
            later = self.next_step(grade, later, zones)
        return None

    def names(self, contacts: Iterable[str]) -> Words:
        """The contacts as people call them; one that is not among the people is left out."""
        found = [self.settings.people[one].name for one in contacts if one in self.settings.people]
        return Words("、".join(one.ja for one in found), ", ".join(one.en for one in found))

    def quiet_until(self, grade: int, at: datetime) -> datetime | None:
        """When the quiet hours of this grade end, None outside of them. Grade 3 has none."""
        local = at.astimezone(ZoneInfo(self.settings.time_zone))
        for quiet in self.settings.quiet:
            if grade >= 3 or grade not in quiet.grades:
                continue
            for began in (local.date(), local.date() - timedelta(days=1)):
                start = datetime.combine(began, quiet.start, local.tzinfo)
                end = datetime.combine(began, quiet.end, local.tzinfo)
                end += timedelta(days=1) if quiet.end <= quiet.start else timedelta(0)
                if start <= local < end:
                    return end
        return None

    def _behind(self, name: str, grade: int, at: datetime) -> list[str]:
        """Whom a step means. Where the rota has a hole, those who would be asked later stand in, else everyone:
        somebody woken in vain is better than nobody called."""
        if name != "oncall":
            return self.persons(name)
        person = self.who(at)
        if person is not None:
            return [person]
        later = [
            one
            for step in self.steps(grade)
            for other in step.to
            if other != "oncall"
            for one in self.persons(other)
        ]
        return later or list(self.settings.people)

    def persons(self, name: str) -> list[str]:
        """The contact of that name, or those who hold the office of that name."""
        if name in self.settings.people:
            return [name]
        return self.settings.holders(name) if name in RANKS else []

    def holes(self, start: datetime, days: int = 14) -> list[tuple[datetime, datetime]]:
        """Times from `start` on, within so many days, at which nobody is on call: (from, to)."""
        return [(began, ended) for who, began, ended in self.spells(start, days) if who is None]

    def _turns(self, start: datetime, end: datetime) -> list[datetime]:
        """The moments between the two at which somebody else may come on call, in order."""
        zone = ZoneInfo(self.settings.time_zone)
        first = start.astimezone(zone).date()
        days = [first + timedelta(days=number) for number in range((end - start).days + 2)]
        times = {time for layer in self.settings.layers for time in (layer.start, layer.end)}
        moments = {datetime.combine(day, time, zone).astimezone(UTC) for day in days for time in times}
        for override in (*self.standins(), *self.settings.overrides):
            moments |= {override.start.astimezone(UTC), override.end.astimezone(UTC)}
        return [at.astimezone(start.tzinfo) for at in sorted(moments) if start < at < end]

    def steps(self, grade: int, zones: Sequence[str] = ()) -> list[Step]:
        """The chain of a grade and, where it touches a zone with a chain of its own, that one's too; where none is
        configured, the person on call at once."""
        own = [step for zone in zones for step in self.settings.escalation_zones.get(zone, [])]
        if own:
            return sorted(
                [*(self.settings.escalation.get(grade) or []), *own], key=lambda step: step.after_minutes
            )
        return self.settings.escalation.get(grade) or [Step(after_minutes=0, to=["oncall"])]


def _shift(layer: Layer, local: datetime) -> date | None:
    """The day on which the layer's running shift began, None when it does not run."""
    for began in (local.date(), local.date() - timedelta(days=1)):
        start = datetime.combine(began, layer.start, local.tzinfo)
        end = datetime.combine(began, layer.end, local.tzinfo)
        if layer.end <= layer.start:
            end += timedelta(days=1)
        if start <= local < end and _on(layer, began):
            return began
    return None


def _on(layer: Layer, day: date) -> bool:
    return "holiday" in layer.days if is_closed(day) else _DAYS[day.weekday()] in layer.days
