"""The figures that several reports share: times to detect, take and settle, and how right the rules were."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median, quantiles
from typing import Literal

from dashboards import times
from dashboards.reporting.document import Block, Ingredients, Origin, Paragraph, Part, Table
from dashboards.reporting.period import Period
from dashboards.texts import Texts
from hinomi.alert import Alert
from hinomi.incident import Incident, Status, Verdict, closed_at, is_merged, taken_at
from hinomi.store import Record
from responders.connectors.actions import ACTIONS
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run

_MOST, _PAGE = 200_000, 50_000


@dataclass(frozen=True, slots=True)
class Spread:
    """A set of durations: how many, mean, median, nine tenths, longest; None where there are none."""

    n: int
    mean: timedelta | None
    middle: timedelta | None
    tail: timedelta | None
    longest: timedelta | None


def spread(spans: Sequence[timedelta]) -> Spread:
    """Arithmetic mean, median, 90th percentile (inclusive method) and maximum."""
    seconds = sorted(one.total_seconds() for one in spans)
    if not seconds:
        return Spread(0, None, None, None, None)
    tail = quantiles(seconds, n=10, method="inclusive")[8] if len(seconds) > 1 else seconds[0]
    made = (timedelta(seconds=value) for value in (fmean(seconds), median(seconds), tail, seconds[-1]))
    return Spread(len(seconds), *made)


@dataclass(frozen=True, slots=True)
class Cases:
    """Incidents (not merged ones) and alerts of a period. opened/closed: in the period; left: open at its end; contained:
    of the opened ones, the time to the first act of containment that its target was seen to have taken; cut: whether there
    were more alerts, earlier in the period, than are counted."""

    opened: list[Incident]
    closed: list[Incident]
    left: list[Incident]
    alerts: list[Alert]
    contained: list[timedelta]
    cut: bool = False

    @property
    def to_detect(self) -> Spread:
        """From the first event to the incident."""
        return spread([one.opened - one.first for one in self.opened])

    @property
    def to_take(self) -> Spread:
        """From the incident to whoever took it."""
        taken = ((one, taken_at(one)) for one in self.opened)
        return spread([at - one.opened for one, at in taken if at])

    @property
    def to_contain(self) -> Spread:
        """From the incident to the first act of containment, of those where there was one."""
        return spread(self.contained)

    @property
    def to_settle(self) -> Spread:
        """From the incident to its verdict."""
        return spread([closed_at(one) - one.opened for one in self.closed])

    def precision(self) -> list[tuple[str, str, int, int, int, int]]:
        """(title ja, title en, alerts, real, benign, false) a rule, by alerts; verdicts of closed incidents."""
        verdicts = {one.id: one.verdict for one in self.closed}
        counts: dict[str, Counter[str]] = {}
        titles: dict[str, tuple[str, str]] = {}
        for alert in self.alerts:
            held = counts.setdefault(alert.rule_id, Counter())
            titles[alert.rule_id] = (alert.title_ja, alert.title_en)
            held["alerts"] += 1
            if (verdict := verdicts.get(alert.incident_id)) is not None:
                held[verdict.value] += 1
        return [
            (*titles[rule], held["alerts"], held["true_positive"], held["benign"], held["false_positive"])
            for rule, held in sorted(counts.items(), key=lambda item: (-item[1]["alerts"], item[0]))
        ]


def incidents(of: Ingredients) -> list[Incident]:
    """All that there are, the newest number first; those that another one took in are told by that one."""
    found = of.records.find("incident", order="-number", limit=_MOST)
    return [one for one in (record.read_as(Incident) for record in found) if not is_merged(one)]


def cases(of: Ingredients, period: Period) -> Cases:
    """Read once from the records."""
    real = incidents(of)
    alerts, cut = _alerts(of, period)
    closed = [one for one in real if one.status is Status.CLOSED]
    opened = [one for one in real if period.holds(one.opened)]
    contained = ((one, _contained_at(of, one)) for one in opened)
    return Cases(
        opened=opened,
        closed=[one for one in closed if period.holds(closed_at(one))],
        left=[
            one
            for one in real
            if one.opened < period.end and (one.status is not Status.CLOSED or closed_at(one) >= period.end)
        ],
        alerts=alerts,
        contained=[at - one.opened for one, at in contained if at],
        cut=cut,
    )


def alerts_since(
    of: Ingredients, moment: datetime, by: Literal["detected", "last"] = "detected"
) -> Iterator[tuple[datetime, Record]]:
    """(when it was detected, the alert), the newest first by its detection or its last event; those of before the moment are left
    unread, and a page of them is held at a time."""
    start = 0
    while page := of.records.find("alert", order=f"-{by}", limit=_PAGE, offset=start):
        for record in page:
            if datetime.fromisoformat(str(record.body[by])) < moment:
                return
            yield datetime.fromisoformat(str(record.body["detected"])), record
        start += len(page)


def _alerts(of: Ingredients, period: Period, most: int = _MOST) -> tuple[list[Alert], bool]:
    """Those detected in the period, the newest first, and whether there were more than `most`. Others are passed over unread."""
    found: list[Alert] = []
    for detected, record in alerts_since(of, period.start):
        if detected < period.end:
            if len(found) == most:
                return found, True
            found.append(record.read_as(Alert))
    return found, False


def _contained_at(of: Ingredients, incident: Incident) -> datetime | None:
    """When the first act that stops somebody was done for the incident, not in a rehearsal; None where none was."""
    held = (of.records.get(RUN, identity) for identity in incident.run_ids)
    runs = [run for run in (record.read_as(Run) for record in held if record) if not run.dry_run]
    acts = ((run, step) for run in runs for step in run.steps if step.act)
    done = [run.done_at(step.index) for run, step in acts if (a := ACTIONS.get(step.act)) and a.contains]
    return min((at for at in done if at), default=None)


def share(right: int, wrong: int) -> str:
    """`80%` of what was judged real or false; a dash where nothing was judged."""
    return f"{right / (right + wrong):.0%}" if right + wrong else "—"


def times_part(held: Cases, texts: Texts) -> Part:
    """MTTD, MTTA, MTTC and the time to the verdict with means, medians and tails."""
    rows = []
    told = (
        ("detect", held.to_detect),
        ("take", held.to_take),
        ("contain", held.to_contain),
        ("settle", held.to_settle),
    )
    for key, one in told:
        spans = (one.mean, one.middle, one.tail, one.longest)
        shown = ("—" if span is None else times.duration(span, texts.language) for span in spans)
        rows.append((texts(f"figures.{key}"), str(one.n), *shown))
    head = tuple(texts(f"figures.{key}") for key in ("what", "n", "mean", "median", "tail", "longest"))
    blocks: list[Block] = [Table(head, rows, figures=(1, 2, 3, 4, 5))]
    blocks.append(Paragraph(texts("figures.contain_note", n=len(held.opened) - len(held.contained)), "small"))
    late = [one for one in held.opened if one.opened - one.last >= timedelta(days=1)]
    if late:
        blocks.append(Paragraph(texts("figures.detect_note", n=len(late)), "small"))
    untaken = [one for one in held.opened if taken_at(one) is None]
    if untaken:
        blocks.append(Paragraph(texts("figures.untaken", n=len(untaken)), "warn"))
    return Part(texts("figures.times"), blocks)


def rules_part(held: Cases, texts: Texts, most: int = 25) -> Part:
    """Alerts and precision a rule."""
    found = held.precision()
    rows = [
        (texts.of(ja, en), f"{n:,}", str(real), str(benign), str(false), share(real + benign, false))
        for ja, en, n, real, benign, false in found[:most]
    ]
    head = tuple(
        texts(f"figures.{key}") for key in ("rule", "alerts", "real", "benign", "false", "precision")
    )
    blocks: list[Block] = [Table(head, rows, figures=(1, 2, 3, 4, 5), empty=texts("figures.no_alerts"))]
    if held.cut:
        blocks.append(Paragraph(texts("figures.cut", n=f"{len(held.alerts):,}"), "warn"))
    if len(found) > most:
        blocks.append(Paragraph(texts("figures.more_rules", n=len(found) - most), "small"))
    blocks.append(Paragraph(texts("figures.precision_note"), "small"))
    return Part(texts("figures.rules"), blocks)


def entities_part(held: Cases, texts: Texts, most: int = 10) -> Part:
    """The users, machines and sources that most incidents name."""
    rows = []
    for name in ("user.name", "host.name", "source.ip"):
        counts = Counter(value for one in held.opened for value in set(one.entities.get(name, ())))
        rows += [(texts.get("entity", name), value, str(n)) for value, n in counts.most_common(most)]
    head = (texts("figures.kind"), texts("figures.value"), texts("figures.incidents"))
    return Part(
        texts("figures.entities"), [Table(head, rows, figures=(2,), empty=texts("figures.no_entities"))]
    )


def verdicts_line(held: Cases, texts: Texts) -> str:
    """`実際の脅威 2、正当な操作 1、誤検知 3`."""
    counts = Counter(one.verdict for one in held.closed if one.verdict)
    parts = [f"{texts(f'verdict.{verdict.value}')} {counts[verdict]}" for verdict in Verdict]
    return texts("mark.comma").join(parts)


def origins(period: Period, texts: Texts) -> list[Origin]:
    """Where the shared figures come from."""
    start, end = period.start, period.end
    return [
        Origin(texts("figures.detect"), "records incident: opened - first", start, end),
        Origin(texts("figures.take"), "records incident: acknowledged_at, else closed - opened", start, end),
        Origin(
            texts("figures.contain"), "records playbook_run: first act done, not dry_run - opened", start, end
        ),
        Origin(
            texts("figures.settle"),
            "records incident: closed - opened, closed in the period",
            start,
            end,
        ),
        Origin(
            texts("figures.rules"), "records alert by rule_id: detected; verdict of its incident", start, end
        ),
    ]
