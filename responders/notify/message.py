"""A message to a person: subject and body, the same for every channel, inert against hostile log text.

Every message has a second form for channels that leave the city's network: it says that something happened, how grave and
where to look, and names nobody and nothing that the logs hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from hinomi.clock import JST
from hinomi.incident import GRADES, Incident
from hinomi.text import inert
from hinomi.words import Words

_SHOWN = 20  # incidents that a digest tells in words
_GRAVEST = Words("一番重いもの", "the gravest")
_GRAVEST_CALL = Words("引き受けを待つもののうち一番重いもの", "the gravest that waits to be taken")


@dataclass(frozen=True, slots=True)
class Message:
    """subject: one line, subject_en: the same for the English half of a digest; text: plain text, Japanese first; grade: of
    the incident, 0 where it is about none; outside_*: the same without personal data; link, ack: where to look and to
    acknowledge, for channels with buttons."""

    subject: str
    text: str
    grade: int = 0
    outside_subject: str = ""
    outside_text: str = ""
    link: str = ""
    ack: str = ""
    subject_en: str = ""

    def as_body(self) -> dict[str, str | int]:
        """For a record."""
        return {
            "subject": self.subject,
            "subject_en": self.subject_en,
            "text": self.text,
            "grade": self.grade,
            "outside_subject": self.outside_subject,
            "outside_text": self.outside_text,
        }

    def for_channel(self, *, inside: bool) -> "Message":
        """What may be said there. A message without an outside form says only that it is there."""
        if inside:
            return self
        subject = self.outside_subject or "火の見からの通知があります"
        text = self.outside_text or f"{subject}\n{self.link}".strip()
        return replace(self, subject=subject, text=text)

    def labelled(self, label: str) -> "Message":
        """With what stands before every subject (`訓練`), where something does."""
        return replace(self, subject=f"【{label}】{self.subject}") if label else self


def of_body(body: Mapping[str, Any]) -> Message:
    """The message that a record holds."""
    names = ("subject", "subject_en", "text", "outside_subject", "outside_text", "link", "ack")
    held = {name: str(body.get(name, "")) for name in names}
    return Message(**held, grade=int(body.get("grade", 0)))


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
    incident: Incident, first_step: Words, *, link: str, ack: str, now: datetime, about: Sequence[Words] = ()
) -> Message:
    """The message about an incident. about: more lines that whoever is called must know."""
    name, who = GRADES[incident.grade], _who(incident)
    values = {
        "incident": incident,
        "grade_ja": name.ja,
        "grade_en": name.en,
        "since": _since(incident.first, now),
        "who": "、".join(who) or "—",
        "who_en": ", ".join(who) or "—",
        "first_step_ja": first_step.ja,
        "first_step_en": first_step.en,
        "about": about,
        "link": link,
        "ack": ack,
    }
    subject = _ENVIRONMENT.get_template("subject.txt").render(values)
    text = _ENVIRONMENT.get_template("incident.txt").render(values)
    return Message(
        inert(subject.strip(), 200),
        text,
        incident.grade,
        outside_subject=f"【段階{incident.grade} {name.ja}】インシデント #{incident.number}",
        outside_text=_ENVIRONMENT.get_template("outside.txt").render(values),
        link=link,
        ack=ack,
        subject_en=inert(_ENVIRONMENT.get_template("subject_en.txt").render(values).strip(), 200),
    )


def of_several(briefs: Sequence[Brief]) -> Message:
    """One message about several incidents, in the order given; the first ones in words, the rest as a number."""
    shown = briefs[:_SHOWN]
    lead = leading(briefs)
    which = _GRAVEST if lead is briefs[0] else _GRAVEST_CALL
    about = {"count": len(briefs), "lead": lead, "which": which}
    values = {**about, "briefs": shown, "left": len(briefs) - len(shown)}
    subject = f"【{len(briefs)}件】{briefs[0].message.subject} ほか"
    text = _ENVIRONMENT.get_template("digest.txt").render(values)
    grade = max(brief.message.grade for brief in briefs)
    first = briefs[0]
    outside = f"【{GRADES[grade].ja}】インシデント {len(briefs)} 件が対応を待っています"
    named = {**about, "outside": outside, "grade_en": GRADES[grade].en}
    return Message(
        inert(subject, 200),
        text,
        grade,
        outside_subject=outside,
        outside_text=_ENVIRONMENT.get_template("digest_outside.txt").render(named),
        link=lead.link,
        ack=lead.ack,
        subject_en=inert(
            f"[{len(briefs)} incidents] {first.message.subject_en or first.message.subject} and more", 200
        ),
    )


def leading(briefs: Sequence[Brief]) -> Brief:
    """The one that whoever is called begins with: the first that can be taken, else the first (a deadline, a word to the CISO)."""
    return next((brief for brief in briefs if brief.ack), briefs[0])


def plain(
    subject: Words, lines: Sequence[Words], *, outside: Words, link: str = "", grade: int = 0
) -> Message:
    """Any other message: a hand-over, a deadline, a channel that fails; Japanese first, then the same in English but for lines
    that have none. outside: what may be said elsewhere."""
    japanese = "\n".join(inert(line.ja) for line in lines)
    english = "\n".join(inert(line.en) for line in lines if line.en or not line.ja)
    return Message(
        inert(subject.ja, 200),
        f"{japanese}\n\n----\n{inert(subject.en, 200)}\n{english}",
        grade,
        outside_subject=inert(outside.ja, 200),
        outside_text=f"{inert(outside.ja)}\n{inert(outside.en)}\n{link}".strip(),
        link=link,
        subject_en=inert(subject.en, 200),
    )


def _since(first: datetime, now: datetime) -> str:
    """The time alone of what began today; the day, too, of anything else: at five past midnight 23:50 was yesterday."""
    local = first.astimezone(JST)
    return f"{local:%H:%M}" if local.date() == now.astimezone(JST).date() else f"{local:%m/%d %H:%M}"


def _who(incident: Incident) -> list[str]:
    fields = ("user.name", "host.name", "source.ip")
    return [value for field in fields for value in incident.entities.get(field, [])[:3]][:6]
