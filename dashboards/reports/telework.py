"""The telework report: from where, when, through what and in which departments people worked from outside, and what
broke the rules. What a connection is stands in `rules/logsources/vpn.yml`, for every product that people come in by.

Personal data is kept out: departments and countries are counted; names stand only in the incidents themselves.
"""

from collections import Counter
from datetime import datetime, timedelta

from collectors import catalogue
from dashboards import charts
from dashboards.named_values import named
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
from dashboards.reporting.figures import cases
from dashboards.reporting.period import Period, month
from dashboards.texts import Texts
from hinomi.clock import JST
from hinomi.store import Bucket
from hinomi.words import Language, Words
from rules import vpn

_TITLE = Words("テレワーク利用状況報告", "Telework report")
QUERY = vpn.asked("connected")
REFUSED = vpn.asked("refused")
CLAUSE = "MIC-6.2-(2)"
_ASKED = {
    "connections": "events.count(connected)",
    "not_let_in": "events.count(refused)",
    "hours": "events.histogram(connected, 1h)",
    "where": "events.top(user.staff.department | source.geo.country_iso_code, connected)",
    "through": "events.top(event.dataset, connected)",
    "broken": f"records alert: guideline={CLAUSE}",
}  # figure → what was asked; `connected` and `refused` stand below them, once
_MOST = 10_000
_NIGHT = frozenset({22, 23, 0, 1, 2, 3, 4})


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The month in which `start` lies."""
    texts, period = Texts(language), month(start)
    total = of.events.count(QUERY, span=period.span)
    hours = of.events.histogram(QUERY, span=period.span, interval=timedelta(hours=1))
    night = sum(one.count for one in hours if one.start.astimezone(JST).hour in _NIGHT)
    countries = dict(of.events.top("source.geo.country_iso_code", QUERY, span=period.span, limit=_MOST))
    abroad = sum(n for code, n in countries.items() if code != "JP")
    refused = of.events.count(REFUSED, span=period.span)
    held = [one for one in cases(of, period).alerts if CLAUSE in one.guideline]
    summary = [
        texts("telework.sum", n=f"{total:,}", night=f"{night:,}", abroad=f"{abroad:,}", alerts=len(held))
        if total
        else texts("telework.nothing"),
        texts("telework.refused", n=f"{refused:,}"),
    ]
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=summary,
        parts=[
            _hours(hours, texts),
            _tops(of, period, total, texts),
            _products(of, period, texts),
            Part(texts("telework.broken"), [_broken(Counter((a.title_ja, a.title_en) for a in held), texts)]),
        ],
        origins=[
            *(
                Origin(texts(f"telework.{figure}"), asked, period.start, period.end)
                for figure, asked in _ASKED.items()
            ),
            Origin("connected", QUERY, None, None),
            Origin("refused", REFUSED, None, None),
        ],
    )


def _hours(hours: list[Bucket], texts: Texts) -> Part:
    """Connections by hour of the day in Japan."""
    counts = Counter[int]()
    for one in hours:
        counts[one.start.astimezone(JST).hour] += one.count
    base = hours[0].start.astimezone(JST).replace(hour=0) if hours else datetime.now(JST)
    day = [Bucket(base + timedelta(hours=hour), counts[hour]) for hour in range(24)]
    caption = texts("telework.hours")
    svg = charts.columns(day, timedelta(hours=1), label=caption, width=720, height=150, days=False)
    return Part(caption, [Chart(svg, caption), Paragraph(texts("telework.hours_note"), "small")])


def _tops(of: Ingredients, period: Period, total: int, texts: Texts) -> Part:
    """Connections by department and by country; those of which neither is known have their own line."""
    blocks: list[Block] = []
    for name, key in (("user.staff.department", "department"), ("source.geo.country_iso_code", "country")):
        found = of.events.top(name, QUERY, span=period.span, limit=_MOST)
        rows = [(named(name, value, texts), f"{n:,}") for value, n in found]
        unknown = total - sum(n for _, n in found)
        if rows and unknown > 0:
            rows.append((texts(f"telework.unknown_{key}"), f"{unknown:,}"))
        head = (texts(f"telework.{key}"), texts("telework.connections"))
        blocks.append(Table(head, rows, figures=(1,), empty=texts(f"telework.no_{key}")))
    return Part(texts("telework.where"), blocks)


def _products(of: Ingredients, period: Period, texts: Texts) -> Part:
    """Through which products people came in, by the titles of their sources."""
    known = catalogue.sources()
    found = of.events.top("event.dataset", QUERY, span=period.span, limit=30)
    rows = [
        (texts.of(known[name].title["ja"], known[name].title["en"]) if name in known else name, f"{n:,}")
        for name, n in found
    ]
    head = (texts("telework.product"), texts("telework.connections"))
    table = Table(head, rows, figures=(1,), empty=texts("telework.no_product"))
    return Part(texts("telework.through"), [table, Paragraph(texts("telework.through_note"), "small")])


def _broken(counts: Counter[tuple[str, str]], texts: Texts) -> Block:
    rows = [(texts.of(ja, en), str(n)) for (ja, en), n in counts.most_common()]
    return Table(
        (texts("figures.rule"), texts("digest.n")), rows, figures=(1,), empty=texts("telework.none_broken")
    )


report = ReportKind("telework", _TITLE, make, apart=True)
