"""`oncall:` of the configuration: people, layers, overrides, escalation."""

from datetime import date, time
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from hinomi.config import Section
from hinomi.words import Words
from responders.roles import RANKS

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]

EVERY_DAY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


class Contact(Section):
    """A person who can be called. channels: names under `notify.channels`, tried in order; office: the guideline's office
    that the person holds, so that an escalation or a playbook may name the office (`ciso`) rather than the person."""

    name_ja: str
    name_en: str = ""
    channels: list[str] = Field(min_length=1)
    mail: str = ""
    phone: str = ""
    line_works: str = ""
    office: Literal[
        "",
        "information_system_manager",
        "information_security_manager",
        "chief_information_security_manager",
        "ciso",
    ] = ""

    @property
    def name(self) -> Words:
        """As people call them; in English, too, where no other is given."""
        return Words(self.name_ja, self.name_en or self.name_ja)


class Layer(Section):
    """When a layer holds: on these days, from–to (over midnight when to ≤ from); people take turns by week."""

    days: list[Day] = Field(default_factory=lambda: list(EVERY_DAY))
    start: time = time(0, 0)
    end: time = time(0, 0)
    people: list[str] = Field(min_length=1)
    turns_from: date = date(2026, 1, 5)


class Override(Section):
    """Someone stands in from one time to another."""

    start: AwareDatetime
    end: AwareDatetime
    person: str
    reason: str = ""


class Step(Section):
    """Who is asked when nobody acknowledged for so many minutes. to: `oncall`, a contact or a guideline's office."""

    after_minutes: int = Field(ge=0)
    to: list[str] = Field(min_length=1)


class Quiet(Section):
    """Hours in which these grades wake nobody: they are told when the hours end, in one message."""

    start: time = time(22, 0)
    end: time = time(7, 0)
    grades: list[int] = Field(default_factory=lambda: [1])


class OnCallSettings(Section):
    """Layers are looked at in order, the first that holds decides; escalation: by grade (0–3), and for incidents that
    touch a network zone, `escalation_zones`, where the zone has its own chain."""

    time_zone: str = "Asia/Tokyo"
    people: dict[str, Contact] = Field(default_factory=dict)
    layers: list[Layer] = Field(default_factory=list)
    overrides: list[Override] = Field(default_factory=list)
    escalation: dict[int, list[Step]] = Field(default_factory=dict)
    escalation_zones: dict[str, list[Step]] = Field(default_factory=dict)
    quiet: list[Quiet] = Field(default_factory=list)

    def holders(self, office: str) -> list[str]:
        """Contacts who hold the office; where nobody does, those of the next one above it."""
        for rank in RANKS[RANKS.index(office) :]:
            if found := [name for name, one in self.people.items() if one.office == rank]:
                return found
        return []

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Everyone named is one of `people`, or an office that one of them holds: a misspelt name would be a night in which
        nobody is called."""
        named = {
            *(person for layer in self.layers for person in layer.people),
            *(override.person for override in self.overrides),
            *(name for steps in self.escalation.values() for step in steps for name in step.to),
            *(name for steps in self.escalation_zones.values() for step in steps for name in step.to),
        }
        offices = {rank for rank in RANKS if self.holders(rank)}
        strangers = sorted(named - {"oncall", *self.people, *offices})
        if strangers:
            names = "、".join(strangers)
            raise ValueError(f"people にない名前があります: {names}|not among people: {', '.join(strangers)}")
        return self
