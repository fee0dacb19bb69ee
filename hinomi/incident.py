"""Incidents: what people work on."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hinomi.alert import Level
from hinomi.words import Words

CLOSED_AT = "closed_at"
"""Name in `Incident.fields`: when it was closed (ISO 8601), by the verdict that ended it. Of no meaning once it is open again."""


class Status(StrEnum):
    """Where an incident stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    CONTAINED = "contained"
    CLOSED = "closed"


class Verdict(StrEnum):
    """How a closed incident was judged."""

    TRUE_POSITIVE = "true_positive"
    BENIGN = "benign"
    FALSE_POSITIVE = "false_positive"

    @property
    def words(self) -> Words:
        """As people read it."""
        return _VERDICTS[self]


_VERDICTS = {
    Verdict.TRUE_POSITIVE: Words("実際の脅威", "True positive"),
    Verdict.BENIGN: Words("正当な操作", "Benign"),
    Verdict.FALSE_POSITIVE: Words("誤検知", "False positive"),
}
NO_THREAT = (Verdict.FALSE_POSITIVE, Verdict.BENIGN)
"""Verdicts after which there is nothing to contain."""
SPLIT_FROM = "split_from"
"""Name in `Incident.fields`: the id of the incident that it was split off from."""
OPENED_FROM = "opened_from"
"""Name in `Incident.fields`: the verdict that was wrong, of an incident that was opened again or closed with another one since."""
GRADES = (Words("事象", "Event"), Words("軽微", "Minor"), Words("中", "Medium"), Words("重大", "Major"))
"""The grades of incidents, 0 to 3."""


class Happening(BaseModel):
    """One line of an incident's timeline: time, who or what, what happened (both languages)."""

    model_config = ConfigDict(frozen=True)

    time: datetime
    kind: Literal[
        "alert", "status", "notify", "ack", "comment", "playbook", "assign", "level", "task", "evidence"
    ]
    actor: str
    ja: str
    en: str
    ref: str = ""


class Incident(BaseModel):
    """Alerts that belong together, with what was decided and done.

    number: short running number people say on the phone; grade: 0–3 as in the guideline's incident levels
    (0 事象, 1 軽微, 2 中, 3 重大) with `grade_reason` in words; level: the highest Sigma level of its alerts;
    alert_ids in order of arrival; organization: whose alerts these are (empty: nobody's), from the first one on.
    """

    id: str
    number: int
    title_ja: str
    title_en: str
    status: Status = Status.NEW
    grade: int = Field(default=1, ge=0, le=3)
    grade_reason_ja: str = ""
    grade_reason_en: str = ""
    level: Level
    first: datetime
    last: datetime
    opened: datetime
    updated: datetime
    assignee: str = ""
    alert_ids: list[str] = Field(default_factory=list)
    entities: dict[str, list[str]] = Field(default_factory=dict)
    zones: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    guideline: list[str] = Field(default_factory=list)
    playbooks: list[str] = Field(default_factory=list)
    run_ids: list[str] = Field(default_factory=list)
    timeline: list[Happening] = Field(default_factory=list)
    verdict: Verdict | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    story_ja: str = ""
    story_en: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    organization: str = ""


def is_merged(incident: Incident) -> bool:
    """Whether another incident took it in and tells of it."""
    return bool(incident.fields.get("merged_into"))


def closed_at(incident: Incident) -> datetime:
    """When a closed incident was closed: as noted, else (closed before that was noted, or joined) its last change of status,
    else its last change."""
    if noted := incident.fields.get(CLOSED_AT):
        return datetime.fromisoformat(str(noted))
    changed = [line.time for line in incident.timeline if line.kind == "status"]
    return changed[-1] if changed else incident.updated


def taken_at(incident: Incident) -> datetime | None:
    """When a person took it. Before 30 November 2026 closing noted nobody: whoever closed it took it then at the latest."""
    if incident.acknowledged_at is None and incident.status is Status.CLOSED:
        return closed_at(incident)
    return incident.acknowledged_at
