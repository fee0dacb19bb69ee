"""Bodies of what people do on a case, about automation, the rota and exceptions."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Base64Bytes, Field

from collectors.enrich.settings import Zone
from dashboards.api.models import Given, Reason
from dashboards.console.fields import WAYS
from responders.exercises import LONGEST, LONGEST_RESULT, MOST_PEOPLE, What
from responders.playbooks.named import LONGEST as LONGEST_VALUE
from responders.playbooks.named import MOST


def _this_age(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("a year from 2000 to 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_this_age)]
"""ISO 8601 with a zone."""
Name = Annotated[str, Field(min_length=1, max_length=64)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Taught = Annotated[str, Field(min_length=1, max_length=LONGEST)]
"""A title of an exercise, or one who took part."""


class Task(Given):
    """Something that somebody has to do. due: by when."""

    title: Line
    assignee: str = Field(default="", max_length=64)
    due: Moment | None = None


class Finish(Given):
    """done, or dropped: it need not be done any more."""

    outcome: Literal["done", "dropped"] = "done"
    note: str = Field(default="", max_length=2000)


class Merge(Reason):
    """Numbers of the incidents that are the same matter; the oldest takes in the others."""

    others: list[Annotated[int, Field(ge=0, le=2**31)]] = Field(min_length=1, max_length=20)


class Split(Reason):
    """Ids of the alerts that become an incident of their own."""

    alerts: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=500)


Targets = dict[
    Annotated[str, Field(min_length=1, max_length=100)],
    Annotated[list[Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]], Field(max_length=MOST)],
]
"""Values by ECS field."""


class Start(Given):
    """A playbook by name, and its targets. targets: left out, what the incident itself names of each field, where that is few."""

    playbook: Name
    targets: Targets | None = Field(default=None, max_length=40)


class Open(Given):
    """What somebody reports that no log told. known: when it became known; zone: of the network, left out where it is not known;
    targets: whom and what it is about; playbook: one to start at once; organization: whose it is; key: the same key again is
    the same report."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    what: Text
    known: Moment
    grade: int = Field(default=1, ge=0, le=3)
    zone: Literal["", "mynumber", "lgwan", "internet", "dmz", "telework", "cloud", "external"] = ""
    targets: Targets = Field(default_factory=dict, max_length=40)
    playbook: str = Field(default="", max_length=64)
    organization: str = Field(default="", max_length=64)
    key: str = Field(default="", max_length=64)


assert set(Open.model_fields["zone"].annotation.__args__) == {"", *Zone}  # type: ignore[union-attr]


class Told(Given):
    """Whom somebody told what, by which way, when (left out: now), and what they answered."""

    whom: Annotated[str, Field(min_length=1, max_length=200)]
    what: Text
    way: Literal["phone", "mail", "form", "meeting", "fax"]
    at: Moment | None = None
    answer: str = Field(default="", max_length=2000)


assert set(Told.model_fields["way"].annotation.__args__) == set(WAYS)  # type: ignore[union-attr]


class Known(Given):
    """From when the city knew that a report is due, and why. wrongful: perhaps for a wrongful purpose."""

    known: Moment
    why: Text
    wrongful: bool = False


class Why(Given):
    """Why."""

    why: Text


class Fields(Given):
    """Items of a report by key. version: the newest version that their writer has read, 0 for none; where there is a newer one, 409."""

    version: int = Field(ge=0, le=100_000)

    fields: dict[str, Annotated[str, Field(max_length=20_000)]] = Field(max_length=200)


class Version(Given):
    """Which version of the draft."""

    version: int = Field(ge=1, le=100_000)


class Sent(Version):
    """By which way (form, telephone, receipt number) and when the approved version went out."""

    how: Text
    at: Moment


class Evidence(Given):
    """A file. origin: from which machine, medium or person it came; content: base64."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    origin: Line
    note: str = Field(default="", max_length=2000)
    content: Base64Bytes


class Note(Given):
    """A note."""

    note: Text


class Quiet(Given):
    """Silence a rule for what its alerts of a closed incident share, until a day at most 180 days ahead. where: left out:
    the narrowest that all of them share."""

    rule_id: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Text
    until: Moment
    where: dict[str, Annotated[str, Field(min_length=1, max_length=500)]] | None = Field(
        default=None, max_length=10
    )


class Review(Given):
    """Approve or refuse somebody else's proposal."""

    decision: Literal["approve", "refuse"]
    note: str = Field(default="", max_length=1000)


class Spell(Reason):
    """For somebody, from when to when, and why."""

    person: Name
    start: Moment
    end: Moment


class Exercise(Given):
    """A drill or training that took place on a day, and who took part (a section with its number counts as one)."""

    what: What
    on: date
    title: Taught
    people: list[Taught] = Field(min_length=1, max_length=MOST_PEOPLE)
    result: str = Field(default="", max_length=LONGEST_RESULT)


MOST_EXERCISE = 12 * (LONGEST * (MOST_PEOPLE + 1) + LONGEST_RESULT) + (64 << 10)
"""Bytes of its JSON: a sign takes twelve where it is written as two escapes; the rest is for keys and quotes."""


class Maintenance(Given):
    """Alerts about these entities call nobody from start to end; critical ones do all the same."""

    title: Line
    start: Moment
    end: Moment
    where: dict[str, Annotated[str, Field(min_length=1, max_length=500)]] = Field(max_length=10)


class Answer(Given):
    """A task at which a run stands is done; answer: one of those that it asks for."""

    answer: str = Field(default="", max_length=300)
    note: str = Field(default="", max_length=1000)


class First(Reason):
    """Why a step is done before its approval. plan: the `plan_hash` that was looked at."""

    plan: str = Field(default="", max_length=200)


class Until(Reason):
    """Until when an act with an end stands, and why."""

    until: Moment


class Replay(Reason):
    """The source whose dead letters are read again."""

    source: Annotated[str, Field(min_length=1, max_length=100)]


class Attest(Given):
    """What a person says of a control; `assign`: only who is in charge until when. due: ISO day; version: the control's, as it was
    read, 0 where nobody had said anything; where somebody has since, 409."""

    version: int = Field(ge=0, le=2**31)

    said: Literal["done", "gap", "excepted", "assign"]
    note: str = Field(default="", max_length=2000)
    owner: str = Field(default="", max_length=80)
    due: str = Field(default="", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")


class Draft(Given):
    """A Sigma rule as YAML, and how many past days it is tried on."""

    draft: Annotated[str, Field(min_length=1, max_length=20_000)]
    days: Literal[1, 7, 30] = 1


class Reveal(Given):
    """Why raw lines about residents must be looked at. scope: `search`, or `incident:` and its number."""

    scope: str = Field(pattern=r"^(search|incident:[0-9]{1,9})$")
    reason: Annotated[str, Field(min_length=5, max_length=500)]
