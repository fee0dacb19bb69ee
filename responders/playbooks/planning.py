"""From an incident and a playbook to a plan: which step does what to whom."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hinomi.alert import Alert, Level
from hinomi.identity import account, digest
from hinomi.incident import Incident
from responders.connectors.catalogue import ACTIONS
from responders.incidents.entities import machine
from responders.playbooks.playbook import Playbook, Step
from responders.playbooks.run import Run, RunStep, StepState
from responders.playbooks.settings import PlaybookSettings

_MOST_VALUES = 3
_WORDS = {
    "directory.disable_account": ("アカウント {v} を停止する", "Disable account {v}"),
    "firewall.block_address": ("アドレス {v} を遮断する", "Block address {v}"),
    "endpoint.isolate": ("端末 {v} を隔離する", "Isolate machine {v}"),
}


def plan(
    incident: Incident,
    alerts: Sequence[Alert],
    playbook: Playbook,
    settings: PlaybookSettings,
    now: datetime,
    inside: Sequence[str] = (),
) -> Run:
    """The run that the playbook proposes for the incident. inside: addresses that are never blocked."""
    own = [alert for alert in alerts if alert.playbook == playbook.playbook]
    steps = [
        RunStep.model_validate({"index": index, **fields})
        for index, fields in enumerate(_steps(playbook, own or list(alerts), settings, set(inside)))
    ]
    return Run(
        id=digest("run", incident.id, playbook.playbook),
        incident_id=incident.id,
        playbook=playbook.playbook,
        title_ja=playbook.title_ja,
        title_en=playbook.title_en,
        approver=playbook.approver,
        impact_ja=playbook.impact_ja,
        impact_en=playbook.impact_en,
        dry_run=playbook.playbook not in settings.armed or settings.paused,
        created=now,
        expires=now + timedelta(minutes=playbook.approve_within_minutes),
        steps=steps,
    )


def _steps(
    playbook: Playbook, alerts: Sequence[Alert], settings: PlaybookSettings, inside: set[str]
) -> Iterator[dict[str, object]]:
    for step in playbook.steps:
        if step.task_ja:
            yield {
                "title_ja": step.task_ja,
                "title_en": step.task_en or step.task_ja,
                "state": StepState.FOR_PERSON,
            }
            continue
        ja, en = _WORDS[step.act]
        for value in targets(step, alerts):
            fields = {
                "title_ja": ja.format(v=value),
                "title_en": en.format(v=value),
                "act": step.act,
                "values": {ACTIONS[step.act]: value},
                "can_undo": step.undo,
            }
            if value in settings.protected or value in inside:
                fields |= {
                    "state": StepState.SKIPPED,
                    "result_ja": "守る対象のため、人が判断してください。",
                    "result_en": "protected: a person must decide",
                }
            yield fields


def targets(step: Step, alerts: Sequence[Alert]) -> list[str]:
    """Whom the step is for: values of alerts of high level or above that name few; never all victims of a spray."""
    found: dict[str, None] = {}
    for alert in alerts:
        values = alert.entities.get(step.value, [])
        most = (
            1 if step.value == "source.ip" else _MOST_VALUES
        )  # of two addresses one may be the victim's own
        if alert.level.rank >= Level.HIGH.rank and 0 < len(values) <= most:
            found.update((_spelled(step.value, value), None) for value in values)
    return list(found)


def _spelled(field: str, value: str) -> str:
    if field == "user.name":
        return account(value)
    return machine(value) if field == "host.name" else value
