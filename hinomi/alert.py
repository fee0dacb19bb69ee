"""Alerts: what detection rules, correlations and baselines say, before people see it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hinomi.query import quoted
from hinomi.words import Words

ENTITIES = (
    "user.name",
    "user.email",
    "user.target.name",
    "host.name",
    "source.ip",
    "client.ip",
    "destination.ip",
    "file.name",
    "url.domain",
    "dns.question.name",
    "group.name",
    "threat.indicator.name",
    "service.name",
    "email.message_id",
    "file.hash.sha256",
    "cloud.instance.id",
    "cloud.resource.id",
    "network.name",
)
"""What alerts name, and therefore all that a playbook's step can be for (with `incident.title`). `network.name` is the zone
to cut off; `cloud.resource.id`, which ECS does not know, what a cloud calls one thing of its customer."""
COLUMNS = {
    "cloud.resource.id": (
        "cloud.resource.id",
        "azure.activitylogs.resourceId",
        "oci.resource_id",
        "aws.cloudtrail.requestParameters.bucketName",
        "aws.s3access.bucket",
    ),
    "network.name": ("host.zone", "destination.zone", "source.zone"),
}
"""The columns of events that these are read from, in order; every other one has its own name there, too."""


def columns(entity: str) -> tuple[str, ...]:
    """Where events hold what alerts call by this name."""
    return COLUMNS.get(entity, (entity,))


def search(entity: str, value: str) -> str:
    """The events that name it, in the language of searches. Whatever the value holds is taken literally."""
    return " or ".join(f"{column}: {quoted(value)}" for column in columns(entity))


class Level(StrEnum):
    """Sigma's levels, in order."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (informational) to 4 (critical)."""
        return list(Level).index(self)

    @property
    def words(self) -> Words:
        """As people read it."""
        return _LEVELS[self]


_LEVELS = {
    Level.INFORMATIONAL: Words("情報", "Info"),
    Level.LOW: Words("低", "Low"),
    Level.MEDIUM: Words("中", "Medium"),
    Level.HIGH: Words("高", "High"),
    Level.CRITICAL: Words("緊急", "Critical"),
}


class Alert(BaseModel):
    """One finding, small enough to hand around.

    id: digest of rule, group and window, so that a replay writes the same alert; first/last: event time of
    its first and last event; detected: when Hinomi found it; entities: field (one of `ENTITIES`) → values;
    zones: network zones touched; organization: whose events these are, all of them
    (empty: nobody's); event_ids: evidence (at most 200; `event_count`
    counts them all); fields: what the rule grouped by and its figures; reason: in words, for people.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    rule_id: str
    rule_name: str
    title_ja: str
    title_en: str
    level: Level
    kind: str = "detection"  # detection | correlation | baseline
    first: datetime
    last: datetime
    detected: datetime
    entities: dict[str, list[str]] = Field(default_factory=dict)
    zones: list[str] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list)
    event_ids: list[str] = Field(default_factory=list)
    event_count: int = 1
    fields: dict[str, Any] = Field(default_factory=dict)
    reason_ja: str = ""
    reason_en: str = ""
    what_to_do_ja: str = ""
    what_to_do_en: str = ""
    tags: list[str] = Field(default_factory=list)
    guideline: list[str] = Field(default_factory=list)
    playbook: str = ""
    incident_id: str = ""
    suppressed_by: str = ""
    organization: str = ""
