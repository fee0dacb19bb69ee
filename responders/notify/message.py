"""A message to a person: subject and body, the same for every channel, inert against hostile log text."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from hinomi.clock import JST
from hinomi.incident import Incident
from hinomi.text import inert
from responders.incidents.grade import NAMES

_SHOWN = 20  # incidents that a digest tells in words


@dataclass(frozen=True, slots=True)
class Message:
    """subject: one line; text: plain text, Japanese first; grade: of the incident, 0 where it is about none."""

    subject: str
    text: str
    grade: int = 0

    def as_body(self) -> dict[str, str | int]:
        """For a record."""
        return {"subject": self.subject, "text": self.text, "grade": self.grade}


@dataclass(frozen=True, slots=True)
class Brief:
    """A message as one entry of a digest, with the addresses of the incident and of its acknowledgement."""

    message: Message
    link: str
    ack: str


def _template(name: str) -> str:
    return files("responders.notify").joinpath("templates", name).read_text(encoding="utf-8")


# Plain text, not HTML: escaping is `inert`, applied to every value.
_ENVIRONMENT = Environment(
    loader=FunctionLoader(_template),
    autoescape=False,  # noqa: S701
    undefined=StrictUndefined,
    finalize=lambda value: inert(value) if isinstance(value, str) else value,
    trim_blocks=True,
    lstrip_blocks=True,
)


def of_incident(
    incident: Incident, *, first_step_ja: str, first_step_en: str, link: str, ack: str
) -> Message:
    """The message about an incident."""
    name = NAMES[incident.grade]
    values = {
        "incident": incident,
        "grade_ja": name.ja,
        "grade_en": name.en,
        "since": incident.first.astimezone(JST),
        "who": _who(incident),
        "first_step_ja": first_step_ja,
        "first_step_en": first_step_en,
        "link": link,
        "ack": ack,
    }
    subject = _ENVIRONMENT.get_template("subject.txt").render(values)
    text = _ENVIRONMENT.get_template("incident.txt").render(values)
    return Message(inert(subject.strip(), 200), text, incident.grade)


def of_several(briefs: Sequence[Brief]) -> Message:
    """One message about several incidents, in the order given; the first ones in words, the rest as a number."""
    shown = briefs[:_SHOWN]
    values = {"briefs": shown, "count": len(briefs), "left": len(briefs) - len(shown)}
    subject = f"【{len(briefs)}件】{briefs[0].message.subject} ほか"
    text = _ENVIRONMENT.get_template("digest.txt").render(values)
    return Message(inert(subject, 200), text, max(brief.message.grade for brief in briefs))


def _who(incident: Incident) -> str:
    fields = ("user.name", "host.name", "source.ip")
    named = [value for field in fields for value in incident.entities.get(field, [])[:3]]
    return "、".join(named[:6]) or "—"
