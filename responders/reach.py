"""Whom to ask about an incident: the chain's steps by time, and the next ones at once where nobody so far can be reached."""

from dataclasses import dataclass
from datetime import timedelta

from hinomi.incident import Incident
from hinomi.store import Record, Records
from responders.notify.outbox import KIND, Outbox
from responders.notify.sending import failing
from responders.oncall import Rota


@dataclass(frozen=True, slots=True)
class Reach:
    """Reads what became of the messages. A message is `lost` when its channels failed again and again, or when the process
    died twice while sending it."""

    records: Records
    rota: Rota
    outbox: Outbox

    def who(self, incident: Incident, key: str, waited: timedelta) -> list[str]:
        """Contacts to ask by now, in order; key: of the incident's messages.

        Where all of them are lost the chain goes on without waiting, in the end to everyone who has a channel that did
        not fail.
        """
        now, step = self.outbox.clock.now(), waited
        asked = self.rota.due(incident.grade, step, now, incident.zones)
        while asked and (dead := self._all_lost(asked, key)) is not None:
            later = self.rota.next_step(incident.grade, step, incident.zones)
            if later is None:
                return asked + [one for one in self._others(dead) if one not in asked]
            step = later
            known = set(asked)
            further = self.rota.due(incident.grade, step, now, incident.zones)
            asked += [one for one in further if one not in known and one in self._others(dead)]
        return asked

    def _all_lost(self, people: list[str], key: str) -> set[str] | None:
        """The channels that failed where nobody was reached, None where somebody was or still may be."""
        dead: set[str] = set()
        for person in people:
            message = self._message(key, person)
            if message is None or not message.body.get("lost"):
                return None
            dead |= failing(message)
        return dead

    def _message(self, key: str, person: str) -> Record | None:
        """The one that was sent for it: its own, or the digest that it is told in."""
        own = self.records.get(KIND, self.outbox.id_of(key, person))
        if own is not None and own.body["state"] == "folded":
            return self.records.get(KIND, own.body["into"])
        return own

    def _others(self, dead: set[str]) -> list[str]:
        """Who has a channel that works as far as we know."""
        people = self.rota.settings.people
        return [name for name, contact in people.items() if set(contact.channels) - dead]
