"""The weekly operations report: what the desk did from Monday to Sunday, and what the sources delivered."""

from datetime import datetime

from dashboards.reporting import figures
from dashboards.reporting.coverage import sources_part
from dashboards.reporting.document import Document, Ingredients, Paragraph, Part, ReportKind, Table
from dashboards.reporting.period import week
from dashboards.texts import Texts
from hinomi.words import Language, Words

_TITLE = Words("セキュリティ監視 週報", "Security monitoring: weekly operations")
_GRADES = (3, 2, 1, 0)


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The week in which `start` lies; it may not be over."""
    texts, period = Texts(language), week(start)
    held = figures.cases(of, period)
    sources, origins, missing = sources_part(of, period, texts)
    summary = [
        texts("weekly.sum", opened=len(held.opened), closed=len(held.closed), left=len(held.left)),
        texts("weekly.verdicts", verdicts=figures.verdicts_line(held, texts)),
    ]
    if missing:
        summary.append(texts("digest.sum_missing", datasets=texts("mark.comma").join(missing)))
    if of.clock.now() < period.end:
        summary.append(texts("figures.not_over"))
    parts = [grades_part(held, texts), figures.times_part(held, texts), figures.rules_part(held, texts)]
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=summary,
        parts=[*parts, figures.entities_part(held, texts), sources],
        origins=[*figures.origins(period, texts), *origins],
    )


def grades_part(held: figures.Cases, texts: Texts) -> Part:
    """Incidents by grade, and what is left open."""
    groups = (held.opened, held.closed, held.left)
    rows = [
        (texts(f"grade.g{grade}"), *(str(sum(one.grade == grade for one in group)) for group in groups))
        for grade in _GRADES
    ]
    head = tuple(texts(key) for key in ("digest.grade", "figures.opened", "figures.closed", "figures.left"))
    open_ = [
        (
            f"#{one.number}",
            texts.of(one.title_ja, one.title_en),
            texts(f"grade.g{one.grade}"),
            one.assignee or texts("queue.nobody"),
        )
        for one in sorted(held.left, key=lambda one: (-one.grade, one.opened))[:30]
    ]
    names = tuple(texts(key) for key in ("queue.number", "queue.what", "queue.grade", "queue.assignee"))
    return Part(
        texts("digest.incidents"),
        [
            Table(head, rows, figures=(1, 2, 3)),
            Paragraph(texts("figures.left_list")),
            Table(names, open_, empty=texts("digest.none_open")),
        ],
    )


report = ReportKind("weekly-operations", _TITLE, make, apart=True)
