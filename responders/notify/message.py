"""A message to a person: subject and body, the same for every channel, inert against hostile log text."""

from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from hinomi.clock import JST
from hinomi.incident import Incident
from hinomi.text import inert
from responders.incidents.grade import NAMES


@dataclass(frozen=True, slots=True)
class Message:
    """subject: one line; text: plain text, Japanese first."""

    subject: str
    text: str


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
    return Message(inert(subject.strip(), 200), _ENVIRONMENT.get_template("incident.txt").render(values))


def _who(incident: Incident) -> str:
    fields = ("user.name", "host.name", "source.ip")
    named = [value for field in fields for value in incident.entities.get(field, [])[:3]]
    return "、".join(named[:6]) or "—"
