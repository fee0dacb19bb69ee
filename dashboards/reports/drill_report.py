"""The drill report: what was rehearsed in a fiscal year, who decided how fast, and which steps did not work."""

from datetime import datetime, timedelta

from dashboards import times
from dashboards.reporting.document import Document, Ingredients, Origin, Part, ReportKind, Table
from dashboards.reporting.figures import spread
from dashboards.reporting.period import fiscal_year
from dashboards.texts import Texts
from hinomi.store import Record
from hinomi.words import Language, Words
from responders.playbooks.run import APPROVAL, KIND, Run, RunStep, StepState

_TITLE = Words("インシデント対応訓練 報告書", "Incident response drills: report")


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """Rehearsals (dry runs) of the fiscal year in which `start` lies."""
    texts, period = Texts(language), fiscal_year(start)
    runs = [record.read_as(Run) for record in of.records.find(KIND, limit=100_000)]
    held = [run for run in runs if run.dry_run and period.holds(run.created)]
    approvals = {str(one.body["run_id"]): one for one in of.records.find(APPROVAL, limit=100_000)}
    waits = [wait for run in held if (wait := _wait(run, approvals.get(run.id))) is not None]
    decided = spread(waits)
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.organization,
        language=language,
        start=period.start,
        end=period.end,
        created=of.clock.now(),
        summary=[
            texts("drill.sum", n=len(held), decided=len(waits)),
            texts("drill.middle", middle=times.duration(decided.middle, language))
            if decided.middle is not None
            else texts("drill.undecided"),
            texts("drill.failed", n=sum(any(s.state is StepState.FAILED for s in run.steps) for run in held)),
        ],
        parts=[_runs_part(held, approvals, texts), _steps_part(held, texts)],
        origins=[
            Origin(
                texts("drill.runs"),
                "records playbook_run: dry_run, created; approval: decided",
                period.start,
                period.end,
            )
        ],
    )


def _wait(run: Run, approval: Record | None) -> timedelta | None:
    at = times.parse(approval.body.get("at") or approval.body.get("decided")) if approval else None
    return at - run.created if at is not None and run.decided_by else None


def _runs_part(held: list[Run], approvals: dict[str, Record], texts: Texts) -> Part:
    rows = []
    for run in sorted(held, key=lambda one: one.created):
        wait = _wait(run, approvals.get(run.id))
        shown = times.duration(wait, texts.language) if wait is not None else "—"
        title = texts.of(run.title_ja, run.title_en)
        rows.append(
            (
                times.full(run.created),
                title,
                texts(f"runstate.{run.state.value}"),
                run.decided_by or "—",
                shown,
            )
        )
    head = tuple(texts(f"drill.{key}") for key in ("when", "playbook", "state", "by", "wait"))
    return Part(texts("drill.runs"), [Table(head, rows, empty=texts("drill.none"))])


def _steps_part(held: list[Run], texts: Texts) -> Part:
    rows = [
        _step_row(run, step, texts)
        for run in held
        for step in run.steps
        if step.state in (StepState.FAILED, StepState.SIMULATED, StepState.FOR_PERSON)
    ][:300]
    head = tuple(texts(f"drill.{key}") for key in ("playbook", "step", "state", "result"))
    return Part(texts("drill.steps"), [Table(head, rows, empty=texts("drill.none"))])


def _step_row(run: Run, step: RunStep, texts: Texts) -> tuple[str, ...]:
    return (
        texts.of(run.title_ja, run.title_en),
        texts.of(step.title_ja, step.title_en),
        texts(f"stepstate.{step.state.value}"),
        texts.of(step.result_ja, step.result_en),
    )


report = ReportKind("drill", _TITLE, make, apart=True)
