"""Charts as SVG text, drawn here so that the page, the mail and the PDF show the same picture.

Colours are attributes for the PDF; the console's style sheet recolours by class for light and dark. Missing
data is drawn as a hatched gap with a word, never as a bar of height zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.drawing import Drawing, cut
from hinomi.clock import JST
from hinomi.store import Bucket

COLOURS = ("#53779b", "#b9833f", "#6d8b58", "#8d6a94")
_GAP = "#eceae4"
LEFT = 46
"""What the scale of `columns` takes at the left, in the drawing's units."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it says, its value (None = no data), and where a click leads."""

    label: str
    value: int | None
    link: str = ""


def nice_ceiling(value: int) -> int:
    """The next 1, 2 or 5 times a power of ten, so that the axis reads easily."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10


def columns(
    buckets: Sequence[Bucket],
    interval: timedelta,
    *,
    label: str,
    width: int = 960,
    height: int = 150,
    kind: str = "",
    links: Sequence[str] = (),
    unknown: Sequence[bool] = (),
    days: bool = True,
) -> str:
    """Counts over time. `links`: one address a bar; `unknown`: bars whose data is missing, drawn as gaps; `days`: whether
    the bars lie on days, or are hours of any day."""
    left, top, bottom = LEFT, 12, height - 22
    drawing = Drawing(width, height)
    most = nice_ceiling(max((bucket.count for bucket in buckets), default=0) or 1)
    for share in (0.0, 0.5, 1.0):
        y = bottom - (bottom - top) * share
        drawing.line(left, y, width, y)
        if share == 0 or most * share == int(most * share):
            drawing.text(left - 6, y + 4, f"{int(most * share):,}", "end")
    step = (width - left) / max(1, len(buckets))
    for index, bucket in enumerate(buckets):
        x = left + index * step
        if index < len(unknown) and unknown[index]:
            drawing.rect(x, top, step, bottom - top, "gap", _GAP)
            continue
        when = f"{bucket.start.astimezone(JST):{'%m/%d ' if days else ''}%H:%M}"
        link = links[index] if index < len(links) else ""
        _column(drawing, (when, bucket.count), x, step, (top, bottom, most), link)
    _time_axis(drawing, buckets, interval, (left, step), days=days)
    return drawing.svg(label, kind)


def _column(
    drawing: Drawing, bar: tuple[str, int], x: float, step: float, frame: tuple[int, int, int], link: str
) -> None:
    top, bottom, most = frame
    when, count = bar
    if not count:
        return
    h = max(1.5, (bottom - top) * count / most)
    title = f"{when} {count:,}"
    if link:
        drawing.link(link, title)
    drawing.rect(x + step * 0.08, bottom - h, max(1.0, step * 0.84), h, "b0", COLOURS[0], title)
    if link:
        drawing.close_link()


def _time_axis(
    drawing: Drawing,
    buckets: Sequence[Bucket],
    interval: timedelta,
    place: tuple[int, float],
    *,
    days: bool,
) -> None:
    """A label where it has room; the day is named where it changes."""
    left, step = place
    room = 86 if interval < timedelta(days=1) else 52
    every = max(1, -(-room // max(1, int(step))))
    last_day = ""
    for index in range(0, len(buckets), every):
        x = left + index * step
        if x + room * 0.8 > drawing.width:
            break
        local = buckets[index].start.astimezone(JST)
        day = f"{local:%m/%d}"
        words = day if interval >= timedelta(days=1) else f"{local:%H:%M}"
        if days and interval < timedelta(days=1) and day != last_day:
            words = f"{day} {words}"
        last_day = day
        drawing.text(x, drawing.height - 6, words)


def bars(rows: Sequence[Bar], *, label: str, no_data: str, width: int = 640) -> str:
    """Horizontal bars with the word and the number beside each; None says `no_data` instead of a bar."""
    name_width, number_width, line = int(width * 0.4), 76, 22
    drawing = Drawing(width, max(1, len(rows)) * line + 4)
    most = max((row.value or 0 for row in rows), default=0) or 1
    for index, row in enumerate(rows):
        y = index * line
        drawing.text(0, y + 15, cut(row.label, name_width), strong=True)
        if row.value is None:
            drawing.rect(name_width, y + 5, width - name_width - number_width, 12, "gap", _GAP)
            drawing.text(name_width + 6, y + 15, no_data)
            continue
        length = (width - name_width - number_width) * row.value / most
        if row.value:
            drawing.rect(name_width, y + 5, max(2.0, length), 12, "b0", COLOURS[0])
        drawing.text(name_width + max(2.0, length) + 6, y + 15, f"{row.value:,}", strong=True)
    return drawing.svg(label)


INTERVALS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 10800, 21600, 43200, 86400, 604800)
)


def interval_for(start: datetime, end: datetime, most: int = 72) -> timedelta:
    """The finest interval of the list that gives at most `most` bars; whole weeks beyond the list."""
    span = end - start
    for interval in INTERVALS:
        if span / interval <= most:
            return interval
    weeks = -(-span // (INTERVALS[-1] * most))
    return INTERVALS[-1] * weeks
