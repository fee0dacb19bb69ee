"""`tell: ciso` of a playbook: whoever holds the office is sent a message through the outbox, once a step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hinomi.incident import GRADES
from hinomi.store import Records
from hinomi.words import Words
from responders.connectors.protocol import Done
from responders.incidents import casefile
from responders.notify.message import Message, plain
from responders.notify.outbox import Outbox
from responders.notify.settings import NotifySettings
from responders.oncall import Rota
from responders.playbooks.run import Run, RunStep
from responders.roles import ON_CALL, told


@dataclass(frozen=True, slots=True)
class Telling:
    """A `world.Hook`."""

    records: Records
    settings: NotifySettings
    rota: Rota
    outbox: Outbox

    def __call__(self, run: Run, step: RunStep) -> Done:
        """Tell them; where nobody holds the office, whoever is on call is told that a person must."""
        words = told(step.detail)
        office, held = words.ja, self.rota.persons(step.detail)
        people = held or [one for one in [self.rota.who(self.outbox.clock.now())] if one]
        names = self.rota.names(people)
        if not people:
            return Done(
                f"{office}に知らせる人が設定されていません。", f"nobody is set up to tell the {words.en}"
            )
        record = self.records.get(casefile.KIND, run.incident_id)
        number = record.body["number"] if record else "?"
        link = f"{self.settings.base_url.rstrip('/')}/incidents/{number}"
        lacking = Words("", "")
        if not held and words is not ON_CALL:
            lacking = Words(
                f"{office}の連絡先がありません。電話などで知らせてください。",
                f"the {words.en} has no contact here and must be told by telephone",
            )
        for person in people:
            message = self._message(
                run,
                words,
                record.body if record else {},
                link,
                lacking,
                self._ask(person),
                _wanted(run, step, words),
            )
            self.outbox.plan(person, message, key=_key(run, step), incident_id=run.incident_id, link=link)
        return Done(
            f"{names.ja}に知らせます。{lacking.ja}",
            "; ".join(filter(None, (f"{names.en} will be told", lacking.en))),
        )

    def _message(
        self,
        run: Run,
        office: Words,
        incident: Mapping[str, Any],
        link: str,
        lacking: Words,
        ask: Words,
        wanted: Words,
    ) -> Message:
        """What to do first, what happened since when, and what is wanted of them."""
        number, grade = incident.get("number", "?"), int(incident.get("grade", 0))
        name = GRADES[grade]
        title = Words(incident.get("title_ja", run.title_ja), incident.get("title_en", run.title_en))
        lines = [
            Words(f"まずすること: {lacking.ja}", f"First: {lacking.en}.")
            if lacking.ja
            else Words(
                f"まずすること: 画面を開いて状況を確かめてください{ask.ja}: {link}",
                f"First: open the page and see how it stands{ask.en}: {link}",
            ),
            Words("", ""),
            Words(
                f"インシデント #{number} [段階{grade} {name.ja}] {title.ja}",
                f"Incident #{number} [grade {grade}, {name.en}] {title.en}",
            ),
            Words(str(incident.get("story_ja", "")), str(incident.get("story_en", ""))),
            wanted,
            Words(f"画面: {link}", f"Console: {link}"),
        ]
        return plain(
            Words(
                f"【段階{grade} {name.ja}】{office.ja}への連絡: {title.ja} #{number}",
                f"[Grade {grade}, {name.en}] For the {office.en}: {title.en} #{number}",
            ),
            lines,
            outside=Words(
                f"{office.ja}への連絡があります(#{number})", f"A message for the {office.en} (#{number})"
            ),
            link=link,
            grade=grade,
        )

    def _ask(self, reader: str) -> Words:
        """Whom the reader may ask by telephone: whoever is on call now, if it is somebody else whose number is known."""
        oncall = self.rota.who(self.outbox.clock.now()) or ""
        person = self.rota.settings.people.get(oncall)
        if person is None or not person.phone or oncall == reader:
            return Words("", "")
        return Words(
            f"(電話なら当番の{person.name.ja} {person.phone} へ)",
            f" (by telephone: {person.name.en}, on call, {person.phone})",
        )


def _wanted(run: Run, step: RunStep, office: Words) -> Words:
    """That they are to know; of a gate that is asked anew, what they are to decide and why once more."""
    if not step.renewed:
        return Words(
            f"手順書「{run.title_ja}」が、{office.ja}への連絡を求めています。",
            f"The playbook “{run.title_en}” wants the {office.en} to know.",
        )
    return Words(
        f"手順書「{run.title_ja}」の承認をお願いします: {step.title_ja} {step.result_ja}",
        f"The playbook “{run.title_en}” waits for an approval: {step.title_en} ({step.result_en.strip()})",
    )


def _key(run: Run, step: RunStep) -> str:
    """Of the message: the same step is told once, and once more each time that it is asked anew. Where it is put once more after an answer
    that is void, `expires` is the end of the request that had it."""
    again = [str(step.renewed)] if step.renewed else []
    again += [step.expires.isoformat()] if step.renewed and step.expires else []
    return "|".join(["tell", run.id, str(step.index), *again])
