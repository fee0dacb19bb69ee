"""`tell: ciso` of a playbook: whoever holds the office is sent a message through the outbox, once a step."""

from dataclasses import dataclass

from hinomi.store import Records
from hinomi.words import Words
from responders.connectors.protocol import Done
from responders.incidents import casefile
from responders.notify.message import plain
from responders.notify.outbox import Outbox
from responders.notify.settings import NotifySettings
from responders.oncall import Rota
from responders.playbooks.run import Run, RunStep
from responders.roles import OFFICES

_ON_CALL = Words("当番", "person on call")


@dataclass(frozen=True, slots=True)
class Telling:
    """A `world.Hook`."""

    records: Records
    settings: NotifySettings
    rota: Rota
    outbox: Outbox

    def __call__(self, run: Run, step: RunStep) -> Done:
        """Tell them; where nobody holds the office, whoever is on call is told that a person must."""
        words = OFFICES.get(step.detail, _ON_CALL)
        office, held = words.ja, self.rota.persons(step.detail)
        people = held or [one for one in [self.rota.who(self.outbox.clock.now())] if one]
        names = self.rota.names(people)
        if not people:
            return Done(
                f"{office}に知らせる人が設定されていません。", f"nobody is set up to tell the {words.en}"
            )
        record = self.records.get(casefile.KIND, run.incident_id)
        number = record.body["number"] if record else "?"
        grade = int(record.body["grade"]) if record else 0
        link = f"{self.settings.base_url.rstrip('/')}/incidents/{number}"
        asked, so = "", ""
        if not held and words is not _ON_CALL:
            asked = f"{office}の連絡先がありません。電話などで知らせてください。"
            so = f"; the {words.en} has no contact here and must be told by telephone"
        lines = [
            f"インシデント #{number}: {record.body['title_ja'] if record else run.title_ja}",
            f"手順書「{run.title_ja}」が、{office}への連絡を求めています。",
            *([asked] if asked else []),
            f"画面: {link}",
        ]
        subject = f"{office}への連絡: インシデント #{number}"
        message = plain(
            subject, lines, outside=f"{office}への連絡があります(#{number})", link=link, grade=grade
        )
        for person in people:
            self.outbox.plan(
                person, message, key=f"tell|{run.id}|{step.index}", incident_id=run.incident_id, link=link
            )
        return Done(f"{names.ja}に知らせます。{asked}", f"{names.en} will be told{so}")
