"""What goes over the wire, as models; the OpenAPI document is made from them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Given(BaseModel):
    """A body that a client sends: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Nothing(Given):
    """An act that needs no more than its address."""


class Assign(Given):
    """Whom the incident is given to. before: the assignee that was read, empty for nobody; where it is another's since, 409. Left out
    it is given whoever has it."""

    assignee: str = Field(min_length=1, max_length=64)
    before: str | None = Field(default=None, max_length=64)


class Comment(Given):
    """A note for the timeline."""

    text: str = Field(min_length=1, max_length=4000)


class Close(Given):
    """A verdict and its reason."""

    verdict: Literal["true_positive", "benign", "false_positive"]
    reason: str = Field(min_length=1, max_length=4000)


class Reason(Given):
    """Why."""

    reason: str = Field(min_length=1, max_length=4000)


class Grade(Given):
    """A grade, 0 to 3, and why. before: the grade that was read; where it is another since, 409. Left out it is set whatever it is."""

    grade: int = Field(ge=0, le=3)
    reason: str = Field(min_length=1, max_length=4000)
    before: int | None = Field(default=None, ge=0, le=3)


class Decision(Given):
    """Approve or deny a plan. plan, until: the `plan_hash` and `expires` of the request that was looked at, as they were read; for
    another one an approval is refused."""

    decision: Literal["approve", "deny"]
    note: str = Field(default="", max_length=1000)
    plan: str = Field(default="", max_length=200)
    until: str = Field(default="", max_length=50)


class Problem(BaseModel):
    """RFC 9457 problem details; `title_ja` says the same in Japanese."""

    type: str
    title: str
    title_ja: str
    status: int


class Incident(BaseModel):
    """An incident. organization: whose it is, where one tower watches several."""

    number: int
    id: str
    title_ja: str
    title_en: str
    status: str
    grade: int
    level: str
    first: datetime
    last: datetime
    opened: datetime
    updated: datetime
    assignee: str
    acknowledged_by: str
    verdict: str | None
    entities: dict[str, list[str]]
    zones: list[str]
    tags: list[str]
    guideline: list[str]
    alert_ids: list[str]
    run_ids: list[str]
    story_ja: str
    story_en: str
    timeline: list[dict[str, Any]]
    organization: str = ""


class Incidents(BaseModel):
    """A page of incidents, newest number first. next: hand it back as `after`."""

    items: list[Incident]
    next: str | None


class Found(BaseModel):
    """A page of events. total: how many match in all."""

    items: list[dict[str, Any]]
    total: int
    next: str | None


class Listed(BaseModel):
    """A list of documents."""

    items: list[dict[str, Any]]
    next: str | None
