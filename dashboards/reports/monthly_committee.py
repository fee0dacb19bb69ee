"""The monthly report for the information-security committee: figures with their tails, proofs, open findings."""

from collections import Counter
from datetime import datetime

from dashboards import times
from dashboards.compliance.checks import Look, audit_whole, clocks, kept_a_year
from dashboards.compliance.judgement import State, judge, tally
from dashboards.compliance.keeping import keeping
from dashboards.reporting import figures
from dashboards.reporting.coverage import sources_part
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
from dashboards.reporting.period import Period, month
from dashboards.reports.weekly_operations import grades_part
from dashboards.texts import Texts
from hinomi.store import Record
from hinomi.words import Language, Words
from responders.audit import Audit

_TITLE = Words("情報セキュリティ委員会 月次報告", "Information-security committee: monthly report")

CHANGES = (
    "rules.",
    "tuning.",
    "oncall.maintenance",
    "automation.",
    "user.",
    "account.",
    "compliance.",
    "console.reveal",
    "console.export",
)
"""Beginnings of the audit log's actions that change rules, exceptions, automation or users, or look at residents' data."""


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The month in which `start` lies."""
    texts, period = Texts(language), month(start)
    held = figures.cases(of, period)
    sources, origins, missing = sources_part(of, period, texts)
    parts = [
        grades_part(held, texts),
        figures.times_part(held, texts),
        figures.rules_part(held, texts),
        figures.entities_part(held, texts),
        sources,
        _retention(of, texts),
        *([] if of.whose else [_proofs(of, texts), _changes(of, period, texts), _findings(of, texts)]),
    ]
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=_summary(of, held, missing, period, texts),
        parts=parts,
        origins=[*figures.origins(period, texts), *origins, *_origins(of, period, texts)],
    )


def _summary(
    of: Ingredients, held: figures.Cases, missing: list[str], period: Period, texts: Texts
) -> list[str]:
    grave = sum(one.grade == 3 for one in held.opened)
    lines = [
        texts(
            "monthly.sum", opened=len(held.opened), grave=grave, closed=len(held.closed), left=len(held.left)
        ),
        texts("weekly.verdicts", verdicts=figures.verdicts_line(held, texts)),
    ]
    if missing:
        lines.append(texts("digest.sum_missing", datasets=texts("mark.comma").join(missing)))
    if of.clock.now() < period.end:
        lines.append(texts("figures.not_over"))
    return lines


def _retention(of: Ingredients, texts: Texts) -> Part:
    """Days held against those of each dataset's own period, and the longest time without a record."""
    rows = [
        (
            one.dataset,
            f"{one.events:,}",
            str(one.days),
            str(one.wanted),
            texts(f"monthly.{one.state.value}"),
            str(one.gap or "—"),
        )
        for one in keeping(of)
    ]
    head = tuple(
        texts(f"monthly.{key}") for key in ("dataset", "events", "days", "wanted", "state", "unlogged")
    )
    blocks: list[Block] = [Table(head, rows, figures=(1, 2, 3, 5), empty=texts("sources.nothing_held"))]
    blocks.append(Paragraph(texts("monthly.retention_note"), "small"))
    return Part(texts("monthly.retention"), blocks)


def _proofs(of: Ingredients, texts: Texts) -> Part:
    """Clocks, the audit log's chain, the age of what is held."""
    look = Look(of)
    outcomes = [check(look, None) for check in (clocks, audit_whole, kept_a_year)]
    rows = [
        (texts("compliance.yes" if one.good else "compliance.no"), one.words.of(texts.language), one.query)
        for one in outcomes
    ]
    head = (texts("sources.state"), texts("compliance.found"), texts("digest.asked"))
    return Part(texts("monthly.proofs"), [Table(head, rows)])


def _changes(of: Ingredients, period: Period, texts: Texts) -> Part:
    """Decisions on rules, exceptions, users and looks at residents' data, counted from the audit log."""
    entries = [
        entry
        for entry in Audit(of.records, of.clock).between(period.start, period.end)
        if str(entry.body["action"]).startswith(CHANGES)
    ]
    never = {str((entry.body.get("details") or {}).get("of", "")) for entry in entries if _refused(entry)}
    counts = Counter(
        str(entry.body["action"]) for entry in entries if not _refused(entry) and entry.id not in never
    )
    rows = [(texts.get("action", action), action, str(n)) for action, n in sorted(counts.items())]
    listed = [(one.reason, one.owner, times.full(one.until)) for one in Look(of).exceptions]
    names = tuple(texts(f"monthly.{key}") for key in ("reason", "owner", "until"))
    return Part(
        texts("monthly.changes"),
        [
            Table(
                (texts("monthly.change"), texts("audit.action"), texts("digest.n")),
                rows,
                figures=(2,),
                empty=texts("monthly.no_changes"),
            ),
            Paragraph(texts("monthly.exceptions")),
            Table(names, listed, empty=texts("monthly.no_exceptions")),
        ],
    )


def _refused(entry: Record) -> bool:
    """Whether it tells of what was not done; its detail `of` is the number of the entry that had announced it, if any."""
    return str(entry.body["action"]).endswith(".refused")


def _findings(of: Ingredients, texts: Texts) -> Part:
    """Open findings by control."""
    judged = judge(of)
    counts = tally(judged)
    line = texts("mark.comma").join(f"{texts(f'control.{state.value}')} {counts[state]}" for state in State)
    rows = [
        (
            one.control.id,
            one.control.title.of(texts.language),
            texts("mark.slash").join(o.words.of(texts.language) for o in one.outcomes if not o.good),
            one.attested.owner if one.attested else "",
            one.attested.due if one.attested else "",
        )
        for one in judged
        if one.state is State.GAP
    ]
    head = tuple(texts(f"monthly.{key}") for key in ("control", "title", "gap", "owner", "due"))
    return Part(
        texts("monthly.findings"), [Paragraph(line), Table(head, rows, empty=texts("monthly.no_gaps"))]
    )


def _origins(of: Ingredients, period: Period, texts: Texts) -> list[Origin]:
    held = Origin(
        texts("monthly.retention"),
        "events.days(): dataset, day, events; retention periods; holds",
        None,
        None,
    )
    if of.whose:
        return [held]
    return [
        held,
        Origin(texts("monthly.changes"), "records audit: at, by action", period.start, period.end),
        Origin(texts("monthly.findings"), "dashboards/compliance/controls.yaml", None, None),
    ]


report = ReportKind("monthly-committee", _TITLE, make, apart=True)
