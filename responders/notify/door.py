"""The one door that stands open without signing in: acknowledgement links. Who came with what is in the audit log.

A stranger can knock as often as they like, so of one hour the first knocks are written down one by one and the others at
each doubling, with how many there were by then: the log cannot be filled from outside, and nothing goes uncounted.
"""

import hashlib
from dataclasses import dataclass

from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Records
from responders.audit import Audit
from responders.notify import links

KIND = "link_knock"
SINGLY = 50
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Door:
    """Reads tokens; refusals and mere looks are written down."""

    records: Records
    clock: Clock
    audit: Audit
    key: bytes

    def shown(self, token: str) -> links.Ticket:
        """Somebody (or a mail scanner) opened the link: it decides nothing. Raises Refused for one that is no good."""
        ticket = self.ticket(token)
        self._note(ticket.person, "incident.ack_link.opened", ticket.incident_id, "opening_decides_nothing")
        return ticket

    def ticket(self, token: str) -> links.Ticket:
        """What the token says. Raises Refused, audited with who and why, for one that is forged, damaged or too old."""
        try:
            return links.verify(self.key, token, self.clock.now())
        except links.LinkRefused as refused:
            old = refused.ticket
            target = old.incident_id if old else f"token {hashlib.sha256(token.encode()).hexdigest()[:12]}"
            self._note(old.person if old else _UNKNOWN, "incident.ack.refused", target, refused.why)
            raise

    def _note(self, actor: str, action: str, target: str, why: str) -> None:
        so_many = self._counted()
        if so_many <= SINGLY or so_many & (so_many - 1) == 0:
            details = {"why": why, **({"this_hour": so_many} if so_many > SINGLY else {})}
            self.audit.append(actor=actor, action=action, target=target, details=details)

    def _counted(self) -> int:
        """How often somebody has come in this hour, this time included."""
        hour = self.clock.now().strftime("%Y-%m-%dT%H")
        while True:
            held = self.records.get(KIND, "now")
            same = held is not None and held.body["hour"] == hour
            so_many = 1 + (int(held.body["n"]) if held and same else 0)
            try:
                self.records.put(
                    KIND, "now", {"hour": hour, "n": so_many}, expect=held.version if held else 0
                )
            except Conflict:
                continue
            return so_many
