"""The daily digest: what happened in a Japanese day, what was detected in it, who took it when, what arrived.

What happened is dated by the events, detection figures by the moment of detection. Where the two lie on different days
(a late log, a day that was taken in afterwards) the digest names the days; it never counts one as the other.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import chain
from statistics import median

from dashboards import charts, times
from dashboards.console import health
from dashboards.reporting import figures
from dashboards.reporting.document import (
    Block,
    Chart,
    Document,
    Ingredients,
    Origin,
    Paragraph,
    Part,
    ReportKind,
    Table,
)
from dashboards.reporting.volumes import HOUR, Volume, in_words, volumes
from dashboards.texts import Texts
from hinomi.alert import Level
from hinomi.clock import JST
from hinomi.incident import Incident, Status, closed_at, taken_at
from hinomi.store import Bucket, Record
from hinomi.words import Language, Words

_TITLE = Words("セキュリティ監視 日報", "Security monitoring: daily digest")
_GRADES = (3, 2, 1, 0)
_MOST_LISTED = 40
_EARLIER = timedelta(days=1)
"""Alerts are read from so much earlier: records are ordered by a moment as it is written, and that may be in another zone."""
_HISTOGRAM = 'events.histogram(query="", interval=1h)'


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The digest of the Japanese day in which `start` lies; it may be a day that is not over."""
    midnight = datetime.combine(start.astimezone(JST).date(), time(), JST)
    day = _Day(of, Texts(language), midnight, midnight + timedelta(days=1))
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=day.start,
        end=day.end,
        created=of.clock.now(),
        summary=day.summary(),
        parts=[
            day.incidents(),
            day.acknowledgement(),
            day.alerts(),
            day.sources(),
            *([] if of.whose else [day.left_out()]),
        ],
        origins=day.origins(),
        facts={"|".join(key): n for *key, n in health.counts(of.records)},
    )


@dataclass(slots=True)
class _Rule:
    """A rule's alerts of the day: how many happened and were detected in it, the gravest level among them."""

    title: str
    worst: Level
    happened: int = 0
    detected: int = 0


@dataclass(slots=True)
class _Day:
    """The day's incidents, the counts of its alerts, and volumes, read once."""

    of: Ingredients
    t: Texts
    start: datetime
    end: datetime
    held: list[Incident] = field(init=False)
    rules: dict[str, _Rule] = field(default_factory=dict)
    arrived: list[Volume] = field(init=False)

    def __post_init__(self) -> None:
        self.held = figures.incidents(self.of)
        self._count_alerts()
        self.arrived = volumes(self.of.events, self.start, self.end, self.of.clock.now())

    def _count_alerts(self) -> None:
        """Those detected in the day, and those that went on in it, whenever they were detected (a burst grows for days). One that
        grew while they were read may have changed its place in their order: what was written since is read once more."""
        began, counted = self.of.clock.now(), set[str]()
        since = self.start - _EARLIER
        found = chain(figures.alerts_since(self.of, since), figures.alerts_since(self.of, since, "last"))
        for detected, record in found:
            self._count(detected, record, counted)
        for record in self.of.records.changed("alert", began):
            self._count(datetime.fromisoformat(str(record.body["detected"])), record, counted)

    def _count(self, detected: datetime, record: Record, counted: set[str]) -> None:
        """An alert counts once for its rule where it was detected in the day or its events lie in it; nothing else of it is kept."""
        body = record.body
        first, last = (datetime.fromisoformat(str(body[name])) for name in ("first", "last"))
        happened, within = first < self.end and last >= self.start, self._within(detected)
        if record.id not in counted and (happened or within):
            counted.add(record.id)
            level = Level(body["level"])
            title = self.t.of(str(body["title_ja"]), str(body["title_en"]))
            rule = self.rules.setdefault(str(body["rule_name"]), _Rule(title, level))
            rule.happened += happened
            rule.detected += within
            rule.worst = max(rule.worst, level, key=_rank)

    def _within(self, moment: datetime | None) -> bool:
        return moment is not None and self.start <= moment < self.end

    def _touches(self, one: Incident) -> bool:
        """Whether its events lie in the day, at least in part."""
        return one.first < self.end and one.last >= self.start

    @property
    def happened(self) -> list[Incident]:
        """Incidents whose events lie in the day."""
        return [one for one in self.held if self._touches(one)]

    @property
    def opened(self) -> list[Incident]:
        return [incident for incident in self.held if self._within(incident.opened)]

    @property
    def closed(self) -> list[Incident]:
        return [i for i in self.held if i.status is Status.CLOSED and self._within(closed_at(i))]

    @property
    def still_open(self) -> list[Incident]:
        left = [incident for incident in self.held if incident.status is not Status.CLOSED]
        return sorted(left, key=lambda incident: (-incident.grade, incident.opened))

    def summary(self) -> list[str]:
        """What a reader with one minute needs."""
        counts = {"happened": len(self.happened), "opened": len(self.opened)}
        lines = [self.t("digest.sum_incidents", **counts), *self._other_days()]
        lines.append(self.t("digest.sum_state", closed=len(self.closed), left=len(self.still_open)))
        untaken = [incident for incident in self.still_open if not incident.acknowledged_by]
        if untaken:
            first = untaken[0]
            title = self.t.of(first.title_ja, first.title_en)
            lines.append(self.t("digest.sum_untaken", n=len(untaken), number=first.number, title=title))
        total = f"{sum(volume.total for volume in self.arrived):,}"
        lines.append(self.t("digest.sum_events", n=total, datasets=len(self.arrived)))
        missing = [volume.dataset for volume in self.arrived if volume.gaps]
        if missing:
            names = self.t("mark.comma").join(missing)
            lines.append(self.t("digest.sum_missing", datasets=names))
        return lines

    def _other_days(self) -> list[str]:
        """Where events and detection lie on different days, which days those are."""
        later = [one.opened for one in self.happened if one.opened >= self.end]
        earlier = [one.first for one in self.opened if not self._touches(one)]
        told = (("digest.sum_later", later), ("digest.sum_earlier", earlier))
        return [self.t(key, n=len(days), days=self._days(days)) for key, days in told if days]

    def _days(self, moments: list[datetime]) -> str:
        days = sorted({moment.astimezone(JST).date() for moment in moments})
        shown = [times.day(datetime.combine(one, time(), JST), self.t.language) for one in days[:3]]
        more = [self.t("digest.sum_days_more", n=len(days) - 3)] if len(days) > 3 else []
        return self.t("mark.comma").join([*shown, *more])

    def incidents(self) -> Part:
        """Opened, closed and open incidents by grade, and what is still open."""
        head = tuple(self.t(f"digest.{key}") for key in ("grade", "happened", "opened", "closed", "left"))
        groups = (self.happened, self.opened, self.closed, self.still_open)
        rows = [
            (self.t(f"grade.g{grade}"), *(str(sum(i.grade == grade for i in group)) for group in groups))
            for grade in _GRADES
        ]
        names = ("number", "what", "grade", "status", "since", "assignee")
        listed = [self._line(incident) for incident in self.still_open[:_MOST_LISTED]]
        day = sorted(self.happened, key=lambda one: (-one.grade, one.first))
        told = [(*self._line(one)[:5], self._moment(one.opened)) for one in day[:_MOST_LISTED]]
        day_head = (*names[:-1], "detected")
        blocks: list[Block] = [
            Table(head, rows, figures=(1, 2, 3, 4)),
            Paragraph(self.t("digest.happened_note"), "small"),
            Paragraph(self.t("digest.happened_list")),
            Table(
                tuple(self.t(f"digest.{n}" if n == "detected" else f"queue.{n}") for n in day_head),
                told,
                empty=self.t("digest.none_happened"),
            ),
            Paragraph(self.t("digest.open_list")),
            Table(tuple(self.t(f"queue.{name}") for name in names), listed, empty=self.t("digest.none_open")),
        ]
        if len(self.still_open) > _MOST_LISTED:
            more = len(self.still_open) - _MOST_LISTED
            blocks.append(Paragraph(self.t("digest.more", n=more), "small"))
        return Part(self.t("digest.incidents"), blocks)

    def _line(self, incident: Incident) -> tuple[str, ...]:
        return (
            f"#{incident.number}",
            self.t.of(incident.title_ja, incident.title_en),
            self.t(f"grade.g{incident.grade}"),
            self.t(f"status.{incident.status.value}"),
            self._moment(incident.first),
            incident.assignee or self.t("queue.nobody"),
        )

    def _moment(self, moment: datetime) -> str:
        """With its year where that is not the day's own."""
        return times.clock_time(moment, seconds=False, year=self.start.year)

    def acknowledgement(self) -> Part:
        """How long it took until someone took an incident of this day."""
        taken = [(one, taken_at(one)) for one in self.opened]
        waits = [at - one.opened for one, at in taken if at]
        blocks: list[Block] = []
        if waits:
            middle, longest = (
                times.duration(timedelta(seconds=seconds), self.t.language)
                for seconds in (median(w.total_seconds() for w in waits), max(waits).total_seconds())
            )
            blocks.append(Paragraph(self.t("digest.ack", n=len(waits), middle=middle, longest=longest)))
        elif not self.opened:
            blocks.append(Paragraph(self.t("digest.ack_no_incident")))
        for incident, at in taken:
            if at is None:
                age = times.duration(self.of.clock.now() - incident.opened, self.t.language)
                blocks.append(Paragraph(self.t("digest.ack_none", number=incident.number, age=age), "warn"))
        return Part(self.t("digest.ack_title"), blocks)

    def alerts(self) -> Part:
        """Alerts by rule."""
        loud = sorted(
            self.rules.items(),
            key=lambda one: (-_rank(one[1].worst), -one[1].happened - one[1].detected, one[0]),
        )
        rows = [
            (rule.title, name, self.t(f"level.{rule.worst.value}"), str(rule.happened), str(rule.detected))
            for name, rule in loud
        ]
        head = tuple(self.t(f"digest.{key}") for key in ("what", "rule", "level", "happened", "opened"))
        table = Table(head, rows, figures=(3, 4), empty=self.t("digest.no_alerts"))
        return Part(self.t("digest.alerts"), [table])

    def sources(self) -> Part:
        """Volumes by dataset, the day hour by hour, and gaps in words."""
        rows = [
            (volume.dataset, f"{volume.total:,}" if volume.total else "—", in_words(volume, self.t))
            for volume in self.arrived
        ]
        head = tuple(self.t(f"digest.{key}") for key in ("dataset", "n", "gaps"))
        blocks: list[Block] = []
        if self.of.clock.now() < self.end:
            blocks.append(Paragraph(self.t("digest.not_over"), "warn"))
        if any(volume.hours for volume in self.arrived):
            blocks += [self._hours(), self._bars()]
        blocks.append(Table(head, rows, figures=(1,), empty=self.t("sources.nothing_held")))
        if any(volume.gaps or not volume.judged for volume in self.arrived):
            blocks.append(Paragraph(self.t("digest.gap_why"), "small"))
        return Part(self.t("digest.sources"), blocks)

    def _hours(self) -> Chart:
        """All datasets hour by hour; an hour in which nothing at all arrived is a gap, not a zero."""
        columns = list(zip(*(volume.hours for volume in self.arrived), strict=True))
        hours = [Bucket(column[0].start, sum(bucket.count for bucket in column)) for column in columns]
        hours += [Bucket(self.start + HOUR * n, 0) for n in range(len(hours), 24)]
        caption = self.t("digest.hours")
        nothing = [bucket.count == 0 for bucket in hours]
        svg = charts.columns(hours, HOUR, label=caption, width=720, height=150, unknown=nothing)
        return Chart(svg, self.t("digest.hours_gap") if any(nothing) else caption)

    def _bars(self) -> Chart:
        rows = [charts.Bar(volume.dataset, volume.total or None) for volume in self.arrived]
        caption = self.t("digest.volumes")
        return Chart(charts.bars(rows, label=caption, no_data=self.t("digest.no_data"), width=720), caption)

    def left_out(self) -> Part:
        """Dropped, masked and unreadable events: totals, and what came since the last digest."""
        before = self._facts_before()
        rows = [
            (
                self.t.get("what", what),
                dataset or "—",
                self.t.get("reason", reason),
                f"{n - before.get('|'.join((what, dataset, reason)), 0):,}" if before is not None else "—",
                f"{n:,}",
            )
            for what, dataset, reason, n in health.counts(self.of.records)
        ]
        head = tuple(self.t(f"digest.{key}") for key in ("done", "dataset", "reason", "since_last", "total"))
        note = self.t("digest.left_out_note" if before is not None else "digest.left_out_first")
        return Part(
            self.t("digest.left_out"),
            [Table(head, rows, figures=(3, 4), empty=self.t("sources.no_counts")), Paragraph(note, "small")],
        )

    def _facts_before(self) -> dict[str, int] | None:
        """The totals that the digest of the day before noted, of the same organisation or of the whole tower as this one (that
        in its language where there are two); None where there is none."""
        found = self.of.records.find("report", {"name": report.name, "end": self.start.isoformat()})
        own = [one.body for one in found if one.body.get("organization", "") == self.of.whose]
        if not own:
            return None
        before = max(own, key=lambda body: body["language"] == self.t.language)
        return {str(k): int(v) for k, v in before["facts"].items()}

    def _left_out_origin(self) -> Origin:
        return Origin(self.t("digest.left_out"), "records count: sum(n) by what, dataset, reason", None, None)

    def origins(self) -> list[Origin]:
        """Where each figure came from."""
        start, end = self.start, self.end
        return [
            Origin(self.t("digest.happened"), "records incident: first < end, last >= start", start, end),
            Origin(self.t("digest.opened"), "records incident: opened", start, end),
            Origin(
                self.t("digest.closed"), "records incident: status=closed, when it was closed", start, end
            ),
            Origin(self.t("digest.left"), "records incident: status!=closed", None, None),
            Origin(
                self.t("digest.ack_title"),
                "records incident: acknowledged_at, else closed - opened",
                start,
                end,
            ),
            Origin(
                self.t("digest.alerts"),
                "records alert: first < end, last >= start | detected, by rule_name",
                start,
                end,
            ),
            *([] if self.of.whose else [self._left_out_origin()]),
            *(
                Origin(f"{self.t('digest.sources')} {volume.dataset}", _HISTOGRAM, start, end)
                for volume in self.arrived
            ),
        ]


def _rank(level: Level) -> int:
    return level.rank


report = ReportKind("daily-digest", _TITLE, make, apart=True)
