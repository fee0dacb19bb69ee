"""What the records say of a department, for its head: sign-ins, connections from outside, what was detected.

Personal data is kept to what a head of section needs: nobody is named, and nothing is counted of a department of which
fewer than three people have records: its figures are those of persons whom its head knows. Without a department
(`--subject`) all of them stand beside one another.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dashboards.reporting.document import (
    Block,
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
from hinomi import query
from hinomi.alert import Alert
from hinomi.errors import InputError
from hinomi.words import Language, Words
from rules import vpn

_TITLE = Words("部署別の利用と検知", "Department report")
FIELD = "user.staff.department"
_EVERYTHING = '""'  # a query, as it stands in the appendix
_MOST, FEWEST, _LONG = 10_000, 3, 300
_ASKED = {
    "events": "",
    "failed": "event.category: authentication and event.outcome: failure",
    "outside": vpn.asked("connected"),
    "abroad": "event.category: (authentication or session) and source.geo.country_iso_code: * "
    "and not source.geo.country_iso_code: JP and not event.outcome: failure and not event.type: end",
}  # figure → query, each within the department


@dataclass(frozen=True, slots=True)
class _Department:
    """name; counts: figure → events; people: accounts with records; alerts: those about these accounts."""

    name: str
    counts: dict[str, int]
    people: int
    alerts: list[Alert]

    @property
    def few(self) -> bool:
        """Whether its figures would be those of single persons, whom its head knows."""
        return self.people < FEWEST


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The month in which `start` lies. Raises InputError where the subject is no department with records."""
    texts, period = Texts(language), month(start)
    names = list(_by_department(of, period, ""))
    if of.subject and of.subject not in names:
        raise InputError(
            f"この期間に、部署「{of.subject}」の職員の記録はありません。記録のある部署: {'、'.join(names) or 'なし'}",
            f'no records of staff of "{of.subject}" in this period; departments with records: {", ".join(names) or "none"}',
        )
    counts = {figure: _by_department(of, period, asked) for figure, asked in _ASKED.items()}
    alerts = cases(of, period).alerts
    found = [
        _department(of, period, name, {figure: held.get(name, 0) for figure, held in counts.items()}, alerts)
        for name in ([of.subject] if of.subject else names)
    ]
    parts = [
        _table(found, texts),
        *([_sources(of, period, texts), _rules(found[0], texts)] if of.subject and not found[0].few else []),
    ]
    return Document(
        name=report.name,
        title=_titled(of.subject),
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=_summary(of, period, found, texts),
        parts=parts,
        origins=_origins(period, texts),
        subject=of.subject,
    )


def _titled(name: str) -> Words:
    return Words(f"{_TITLE.ja}({name})", f"{_TITLE.en} ({name})") if name else _TITLE


def within(name: str, asked: str) -> str:
    """A query, asked of one department's staff only."""
    own = f"{FIELD}: {query.quoted(name)}"
    return f"{own} and ({asked})" if asked else own


def _by_department(of: Ingredients, period: Period, asked: str) -> dict[str, int]:
    """Department → events, over all of them in one question."""
    return dict(of.events.top(FIELD, asked, span=period.span, limit=_MOST))


def _department(
    of: Ingredients, period: Period, name: str, counts: dict[str, int], alerts: list[Alert]
) -> _Department:
    people = {
        account.casefold()
        for account, _ in of.events.top("user.name", within(name, ""), span=period.span, limit=_MOST)
    }
    about = [
        one for one in alerts if people & {user.casefold() for user in one.entities.get("user.name", [])}
    ]
    return _Department(name, counts, len(people), about)


def _summary(of: Ingredients, period: Period, found: list[_Department], texts: Texts) -> list[str]:
    if not found:
        return [texts("department.nothing")]
    told = [one for one in found if not one.few]
    lines = [texts("department.sum", n=len(found), alerts=sum(len(one.alerts) for one in told))]
    if len(told) < len(found):
        lines.append(texts("department.left_out", n=len(found) - len(told), few=FEWEST))
    if of.subject and found[0].few:
        lines = [texts("department.too_few", name=of.subject, n=FEWEST)]
    elif of.subject:
        one = found[0]
        figures = {figure: f"{n:,}" for figure, n in one.counts.items()}
        lines = [texts("department.one", name=one.name, alerts=len(one.alerts), **figures)]
    if of.clock.now() < period.end:
        lines.append(texts("figures.not_over"))
    return lines


def _table(found: list[_Department], texts: Texts) -> Part:
    rows = [
        (
            one.name,
            texts("department.few", n=FEWEST) if one.few else f"{one.people:,}",
            *("—" if one.few else f"{one.counts[figure]:,}" for figure in _ASKED),
            "—" if one.few else str(len(one.alerts)),
        )
        for one in found
    ]
    head = tuple(texts(f"department.{key}") for key in ("name", "people", *_ASKED, "alerts"))
    table = Table(head, rows, figures=(1, 2, 3, 4, 5, 6), empty=texts("department.nothing"))
    return Part(texts("department.figures"), [table, Paragraph(texts("department.note"), "small")])


def _sources(of: Ingredients, period: Period, texts: Texts) -> Part:
    rows = [
        (dataset, f"{n:,}")
        for dataset, n in of.events.top("event.dataset", within(of.subject, ""), span=period.span, limit=30)
    ]
    return Part(
        texts("department.datasets"),
        [Table((texts("department.dataset"), texts("department.events")), rows, figures=(1,))],
    )


def _rules(one: _Department, texts: Texts) -> Part:
    counts = Counter((alert.title_ja, alert.title_en) for alert in one.alerts)
    rows = [(texts.of(ja, en), str(n)) for (ja, en), n in counts.most_common()]
    table: Block = Table(
        (texts("figures.rule"), texts("digest.n")), rows, figures=(1,), empty=texts("department.no_alerts")
    )
    return Part(texts("department.detected"), [table, Paragraph(texts("department.ask"), "small")])


def _origins(period: Period, texts: Texts) -> list[Origin]:
    asked = [
        Origin(
            texts(f"department.{figure}"),
            f"events.top({FIELD}, {figure if len(text) > _LONG else text or _EVERYTHING})",
            period.start,
            period.end,
        )
        for figure, text in _ASKED.items()
    ]
    people = f"events.top(user.name, {within('…', '')})"
    return [
        *asked,
        Origin(texts("department.people"), people, period.start, period.end),
        Origin(texts("department.alerts"), "records alert: entities.user.name", period.start, period.end),
        *(Origin(figure, text, None, None) for figure, text in _ASKED.items() if len(text) > _LONG),
    ]


report = ReportKind("department", _TITLE, make, apart=True)
