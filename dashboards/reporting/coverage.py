"""What arrived in a period, and what is missing: events a dataset and a day, gaps said and not drawn as zero."""

from datetime import datetime, timedelta

from dashboards import charts
from dashboards.reporting.document import Block, Chart, Ingredients, Origin, Paragraph, Part, Table
from dashboards.reporting.period import Period
from dashboards.texts import Texts
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.clock import JST
from hinomi.store import Bucket

_DAY = timedelta(days=1)
_ASKED = 'events.histogram(query="", interval=1d)'


def sources_part(of: Ingredients, period: Period, texts: Texts) -> tuple[Part, list[Origin], list[str]]:
    """(the part, where its figures come from, datasets with days without anything)."""
    over = min(period.end, of.clock.now())
    names = [one.name for one in of.events.datasets() if one.name not in {SIGNALS, DEAD_LETTERS}]
    days = {name: _days(of, name, period, over) for name in sorted(names)}
    rows, missing = [], []
    for name, buckets in days.items():
        total, empty = sum(one.count for one in buckets), [one for one in buckets if not one.count]
        words = _gaps(empty, buckets, texts)
        if empty and total:
            missing.append(name)
        rows.append((name, f"{total:,}" if total else "—", words))
    head = tuple(texts(f"digest.{key}") for key in ("dataset", "n", "gaps"))
    blocks: list[Block] = [Table(head, rows, figures=(1,), empty=texts("sources.nothing_held"))]
    if days:
        blocks.insert(0, _chart(days, period, texts))
    if missing:
        blocks.append(Paragraph(texts("digest.gap_why"), "small"))
    origins = [Origin(f"{texts('digest.sources')} {name}", _ASKED, period.start, period.end) for name in days]
    return Part(texts("digest.sources"), blocks), origins, missing


def _days(of: Ingredients, name: str, period: Period, over: datetime) -> list[Bucket]:
    """The days of the period that have begun."""
    found = of.events.histogram(span=period.span, interval=_DAY, datasets=[name])
    return [one for one in found if one.start < over]


def _gaps(empty: list[Bucket], buckets: list[Bucket], texts: Texts) -> str:
    if not buckets or len(empty) == len(buckets):
        return texts("coverage.nothing")
    if not empty:
        return texts("coverage.every_day")
    named = texts("mark.comma").join(f"{one.start.astimezone(JST):%m/%d}" for one in empty[:7])
    return texts("coverage.days", n=len(empty), days=named + ("…" if len(empty) > 7 else ""))


def _chart(days: dict[str, list[Bucket]], period: Period, texts: Texts) -> Chart:
    columns = list(zip(*days.values(), strict=False))
    totals = [Bucket(column[0].start, sum(one.count for one in column)) for column in columns]
    left = int((period.end - period.start) / _DAY) - len(totals)
    totals += [Bucket(period.start + _DAY * (len(totals) + n), 0) for n in range(max(0, left))]
    caption = texts("coverage.chart")
    nothing = [one.count == 0 for one in totals]
    svg = charts.columns(totals, _DAY, label=caption, width=720, height=150, unknown=nothing)
    return Chart(svg, caption)
