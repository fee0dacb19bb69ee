"""The report of one incident: what happened, what was found, decided and done, and what is still to be reported."""

from datetime import datetime

from dashboards import attack, times
from dashboards.console.casework import Casework
from dashboards.console.summary import facts
from dashboards.duties import obligations
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
from dashboards.texts import Texts
from hinomi.alert import Alert
from hinomi.errors import InputError
from hinomi.incident import Happening, Incident, Status, closed_at
from hinomi.store import Records
from hinomi.words import Language, Words
from responders.duties.clocks import KIND as CLOCK
from responders.incidents.casefile import family
from responders.playbooks.run import Run, RunStep

_TITLE = Words("インシデント報告書", "Incident report")
_MOST = 400


def make(of: Ingredients, start: datetime, language: Language) -> Document:
    """The incident whose number is the subject. Raises InputError where there is none."""
    incident = _wanted(of)
    texts = Texts(language)
    alerts = Casework(of.records).alerts(incident)
    end = closed_at(incident) if incident.status is Status.CLOSED else of.clock.now()
    story = texts.of(incident.story_ja, incident.story_en)
    lines = [
        f"#{incident.number} {texts.of(incident.title_ja, incident.title_en)}",
        *([story] if story else []),
    ]
    head = (texts("incidentreport.item"), texts("incidentreport.words"))
    rows = [
        (one.name, f"{times.full(one.time)} {one.words}" if one.time else one.words)
        for one in facts(incident, alerts, of.clock.now(), texts)
    ]
    return Document(
        name=report.name,
        title=_TITLE,
        organization=of.name_of(incident.organization, language),
        language=language,
        start=incident.first,
        end=end,
        created=of.clock.now(),
        summary=lines,
        parts=[
            Part(texts("incidentreport.facts"), [Table(head, rows)]),
            Part(texts("attack.title"), [_steps(incident, texts)]),
            Part(texts("case.alerts"), [_alerts(alerts, texts)]),
            Part(texts("case.timeline"), _timeline(incident, texts)),
            Part(texts("plan.title"), _runs(of, incident, texts)),
            Part(texts("duty.title"), _duties(incident, texts, of.records)),
        ],
        origins=[
            Origin(
                texts("incidentreport.facts"),
                f"records incident: number={incident.number}",
                incident.first,
                end,
            ),
            Origin(texts("case.alerts"), "records alert: incident.alert_ids", incident.first, incident.last),
            Origin(texts("plan.title"), "records playbook_run: incident.run_ids", None, None),
        ],
        subject=str(incident.number),
    )


def _wanted(of: Ingredients) -> Incident:
    found = (
        Casework(of.records).incident(int(of.subject))
        if of.subject.isascii() and of.subject.isdigit()
        else None
    )
    if found is None:
        raise InputError(
            f"番号「{of.subject}」のインシデントはありません。--subject に番号を書いてください。",
            f'there is no incident "{of.subject}"; give its number with --subject',
        )
    return found


def _steps(incident: Incident, texts: Texts) -> Block:
    reached = [(one.id, one.name.of(texts.language)) for one in attack.steps(incident.tags) if one.reached]
    found = [(identity, name.of(texts.language)) for identity, name in attack.techniques(incident.tags)]
    head = (texts("incidentreport.id"), texts("incidentreport.words"))
    return Table(head, [*reached, *found], empty=texts("incidentreport.no_attack"))


def _alerts(alerts: list[Alert], texts: Texts) -> Block:
    rows = [
        (
            times.full(one.first),
            texts.of(one.title_ja, one.title_en),
            texts(f"level.{one.level.value}"),
            f"{one.event_count:,}",
            texts.of(one.reason_ja, one.reason_en),
        )
        for one in alerts
    ]
    head = tuple(
        texts(key) for key in ("case.first", "digest.what", "digest.level", "digest.n", "case.reason")
    )
    return Table(head, rows, figures=(3,), empty=texts("case.no_alerts"))


def _timeline(incident: Incident, texts: Texts) -> list[Block]:
    ordered = sorted(incident.timeline, key=lambda line: line.time)
    missing = max(0, len(ordered) - _MOST)
    told, rest = (ordered[: _MOST // 2], ordered[-(_MOST // 2) :]) if missing else (ordered, [])
    rows = [_happening(one, texts) for one in told]
    if missing:
        rows.append(("…", "—", "—", texts("incidentreport.left_out", n=missing)))
    rows += [_happening(one, texts) for one in rest]
    head = tuple(texts(key) for key in ("audit.at", "figures.kind", "audit.actor", "audit.details"))
    return [Table(head, rows, empty=texts("incidentreport.no_timeline"))]


def _happening(one: Happening, texts: Texts) -> tuple[str, ...]:
    return times.full(one.time), texts.get("kind", one.kind), one.actor or "—", texts.of(one.ja, one.en)


def _runs(of: Ingredients, incident: Incident, texts: Texts) -> list[Block]:
    blocks: list[Block] = []
    held = (of.records.get("playbook_run", identity) for identity in incident.run_ids)
    for run in (record.read_as(Run) for record in held if record):
        said = [texts.of(run.title_ja, run.title_en), texts(f"runstate.{run.state.value}")]
        said += [texts("plan.dry")] if run.dry_run else []
        blocks.append(Paragraph(" — ".join(said)))
        rows = [_step_row(n, step, texts) for n, step in enumerate(run.steps, 1)]
        head = (texts("queue.number"), texts("digest.what"), texts("sources.state"), texts("drill.result"))
        blocks.append(Table(head, rows))
    return blocks or [Paragraph(texts("plan.none"), "small")]


def _duties(incident: Incident, texts: Texts, records: Records) -> list[Block]:
    clocks = records.find(CLOCK, {"incident_id": family(incident)}, limit=200)
    rows = [
        (
            one.duty.what.of(texts.language),
            one.duty.to.of(texts.language),
            one.duty.when.of(texts.language) + _guessed(one.duty.inferred, texts),
            times.full(one.due) if one.due else "—",
            texts(f"duty.state_{one.state or 'open'}"),
        )
        for one in obligations(incident, clocks)
    ]
    keys = ("digest.what", "duty.to", "duty.when", "duty.due", "duty.state")
    head = tuple(
        texts(key).rstrip(":") for key in keys
    )  # on the pages the thing named follows in the same line
    return [
        Table(head, rows, empty=texts("incidentreport.no_duties")),
        Paragraph(texts("duty.lead"), "small"),
    ]


def _guessed(inferred: bool, texts: Texts) -> str:
    return texts("mark.aside", words=texts("duty.inferred")) if inferred else ""


def _step_row(n: int, step: RunStep, texts: Texts) -> tuple[str, ...]:
    title, result = texts.of(step.title_ja, step.title_en), texts.of(step.result_ja, step.result_en)
    return (str(n), title, texts(f"stepstate.{step.state.value}"), result)


report = ReportKind("incident", _TITLE, make, apart=True)
