"""The annual compliance report: each control evidenced, in gap, excepted or waiting for a person, and by what."""

from collections.abc import Sequence
from datetime import datetime

from dashboards.compliance.judgement import Judged, State, judge, tally
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
from dashboards.reporting.period import fiscal_year
from dashboards.texts import Texts
from hinomi.words import Language, Words

_TITLE = Words("情報セキュリティ対策 年次遵守状況報告", "Annual report on compliance with the guidelines")
_CHAPTERS = ("law", "1", "2", "3", "4", "5", "6", "7", "8", "9", "more")


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The fiscal year in which `start` lies, judged at this moment."""
    texts, period = Texts(language), fiscal_year(start)
    judged = judge(of)
    counts = tally(judged)
    chapters = [(chapter, [one for one in judged if one.control.chapter == chapter]) for chapter in _CHAPTERS]
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=[
            texts("annual.sum", n=len(judged), **{state.value: counts[state] for state in State}),
            texts(
                "annual.inferred",
                n=sum(one.control.inferred or one.control.number_inferred for one in judged),
            ),
            texts("annual.as_of"),
        ],
        parts=[
            _overview(chapters, texts),
            *(_chapter(chapter, found, texts) for chapter, found in chapters if found),
            _gaps(judged, texts),
        ],
        origins=[
            Origin(one.control.id, outcome.query, outcome.start, of.clock.now() if outcome.start else None)
            for one in judged
            for outcome in one.outcomes
        ],
    )


def _overview(chapters: Sequence[tuple[str, list[Judged]]], texts: Texts) -> Part:
    rows = [
        (texts(f"chapter.c{chapter}"), *(str(tally(found)[state]) for state in State), str(len(found)))
        for chapter, found in chapters
        if found
    ]
    head = (
        texts("annual.chapter"),
        *(texts(f"control.{state.value}") for state in State),
        texts("annual.total"),
    )
    return Part(texts("annual.overview"), [Table(head, rows, figures=(1, 2, 3, 4, 5))])


def _chapter(chapter: str, found: Sequence[Judged], texts: Texts) -> Part:
    head = tuple(
        texts(f"annual.{key}") for key in ("control", "asks", "state", "evidence", "confidence", "charge")
    )
    rows = [_row(one, texts) for one in found]
    return Part(texts(f"chapter.c{chapter}"), [Table(head, rows)])


def _row(one: Judged, texts: Texts) -> tuple[str, ...]:
    control, language = one.control, texts.language
    evidence = [f"{'○' if outcome.good else '×'} {outcome.words.of(language)}" for outcome in one.outcomes]
    if one.attested is not None and one.attested.said:
        evidence.append(
            f"{texts(f'compliance.said_{one.attested.said}')}: {one.attested.note}"
            + texts("mark.aside", words=one.attested.by)
        )
    elif control.person.ja:
        evidence.append(f"{texts('compliance.person')} {control.person.of(language)}")
    evidence += [f"{texts('compliance.exceptions')} {text}" for text in one.exceptions]
    sure = texts("annual.inferred_one" if control.inferred else "annual.verified")
    if control.number_inferred:
        sure += texts("mark.comma") + texts("compliance.number")
    return (
        f"{control.title.of(language)} [{control.id}]",
        control.asks.of(language),
        texts(f"control.{one.state.value}"),
        texts("mark.slash").join(evidence) or "—",
        sure + texts("mark.aside", words=texts.of(control.source.ja, control.source.en)),
        _charge(one, texts),
    )


def _charge(one: Judged, texts: Texts) -> str:
    """`情報政策課 2026-12-31(期限超過)`."""
    if not one.owner and one.state in {State.GAP, State.PERSON}:
        return texts("compliance.nobody")
    late = f"({texts('compliance.late')})" if one.late else ""
    return f"{one.owner} {one.due}{late}".strip() or "—"


def _gaps(judged: Sequence[Judged], texts: Texts) -> Part:
    gaps = [one for one in judged if one.state is State.GAP]
    rows = [
        (
            f"{one.control.title.of(texts.language)} [{one.control.id}]",
            texts("mark.slash").join(o.words.of(texts.language) for o in one.outcomes if not o.good)
            or (one.attested.note if one.attested else ""),
            one.owner or "—",
            one.due + (f"({texts('compliance.late')})" if one.late else "") or "—",
        )
        for one in gaps
    ]
    head = tuple(texts(f"monthly.{key}") for key in ("control", "gap", "owner", "due"))
    blocks: list[Block] = [Table(head, rows, empty=texts("monthly.no_gaps"))]
    blocks.append(Paragraph(texts("annual.note"), "small"))
    return Part(texts("monthly.findings"), blocks)


report = ReportKind("annual-compliance", _TITLE, make)
