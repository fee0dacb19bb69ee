"""An incident's timeline as a drawing: a lane a finding, one for what people did, one for the playbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards import charts
from dashboards.drawing import Drawing, cut
from dashboards.texts import Texts
from hinomi.alert import Alert
from hinomi.clock import JST
from hinomi.incident import Happening

_WIDTH, _LEFT, _LANE, _TOP, _FOOT = 940, 230, 24, 6, 24
_PEOPLE = {"ack", "assign", "comment", "status", "level", "notify"}
SHORTEST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a lane. last equals first for a moment."""

    first: datetime
    last: datetime
    kind: str
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A line of the drawing."""

    name: str
    marks: list[Mark]


def lanes(alerts: Sequence[Alert], timeline: Sequence[Happening], texts: Texts) -> list[Lane]:
    """Findings in order of their first event, then people, then the playbook; lanes without marks left out."""
    found: dict[str, Lane] = {}
    for alert in alerts:
        name = texts.of(alert.title_ja, alert.title_en)
        lane = found.setdefault(alert.rule_id, Lane(name, []))
        lane.marks.append(Mark(alert.first, alert.last, f"l-{alert.level.value}", name, f"#alert-{alert.id}"))
    people = [_said(one, texts) for one in timeline if one.kind in _PEOPLE]
    playbook = [_said(one, texts) for one in timeline if one.kind == "playbook"]
    rest = [Lane(texts("lanes.people"), people), Lane(texts("lanes.playbook"), playbook)]
    return [*found.values(), *(lane for lane in rest if lane.marks)]


def _said(happening: Happening, texts: Texts) -> Mark:
    words = texts.of(happening.ja, happening.en)
    return Mark(happening.time, happening.time, f"k-{happening.kind}", words)


def draw(lines: Sequence[Lane], start: datetime, end: datetime, texts: Texts) -> str:
    """The lanes between two times. Marks outside are left out; a moment is at least a few pixels wide."""
    drawing = Drawing(_WIDTH, _TOP + _LANE * max(1, len(lines)) + _FOOT)
    bottom = _TOP + _LANE * max(1, len(lines))
    _axis(drawing, start, end, bottom)
    for number, lane in enumerate(lines):
        y = _TOP + number * _LANE
        drawing.line(0, y + _LANE, _WIDTH, y + _LANE)
        drawing.text(0, y + 16, cut(lane.name, _LEFT + 6), strong=True)
        for mark in lane.marks:
            _mark(drawing, mark, y, start, end)
    return drawing.svg(texts("lanes.label"), "lanes")


def _mark(drawing: Drawing, mark: Mark, y: float, start: datetime, end: datetime) -> None:
    if mark.last < start or mark.first > end:
        return
    x1, x2 = _x(max(mark.first, start), start, end), _x(min(mark.last, end), start, end)
    times = f"{mark.first.astimezone(JST):%m/%d %H:%M:%S}"
    if mark.last - mark.first >= timedelta(seconds=1):
        times += f" – {mark.last.astimezone(JST):%m/%d %H:%M:%S}"
    if mark.link:
        drawing.link(mark.link, f"{times} {mark.title}")
    drawing.rect(
        min(x1, _WIDTH - 6),
        y + 6,
        max(6.0, x2 - x1),
        12,
        f"mark-{mark.kind}",
        "#964900",
        f"{times} {mark.title}",
    )
    if mark.link:
        drawing.close_link()


def _axis(drawing: Drawing, start: datetime, end: datetime, bottom: float) -> None:
    """A tick at round times in Japan; the day is named where it changes."""
    interval = charts.interval_for(start, end, 8)
    midnight = start.astimezone(JST).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + -((midnight - start) // interval) * interval
    day = ""
    while at <= end:
        x, today = _x(at, start, end), f"{at.astimezone(JST):%m/%d}"
        if x < _WIDTH - 34:
            drawing.line(x, _TOP, x, bottom)
            clock = (
                f"{at.astimezone(JST):%H:%M:%S}"
                if interval < timedelta(minutes=1)
                else f"{at.astimezone(JST):%H:%M}"
            )
            drawing.text(x + 2, bottom + 16, clock if today == day else f"{today} {clock}")
        at, day = at + interval, today


def _x(moment: datetime, start: datetime, end: datetime) -> float:
    share = (moment - start) / max(end - start, SHORTEST)
    return _LEFT + share * (_WIDTH - _LEFT)


LEFT_SHARE = _LEFT / _WIDTH
"""Where the time begins, as a share of the drawing's width (for the brush)."""
