"""Does the store take a write? Asked every half minute by the respond process, in a thread and over a connection of its own,
also while the process waits for a cluster that is away when it starts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from hinomi.errors import HinomiError
from hinomi.store import Records
from ops.beside import beside
from ops.journal import log
from ops.lease import KIND as LEASE
from ops.roles.start import Role
from responders.audit import Audit
from responders.notify.blind import FILE, Blind
from responders.oncall.standins import Standins

_EVERY = 30.0
_ANSWER = 10.0
_LEAVE = 5.0
KIND = "own_watch"


@dataclass(slots=True)
class Probe:
    """records: over a connection that nobody else waits at; machine: empty on an embedded store, which has one."""

    records: Records
    blind: Blind
    audit: Audit
    machine: str

    def look(self) -> None:
        """Write, and read what the page would need. A refusal to write counts as one to answer: a cluster whose disks are full
        answers every search and stores no alert."""
        try:
            at = {"at": self.audit.clock.now().isoformat()}
            self.records.put(KIND, f"answers/{self.machine}", at)
            standins = Standins(self.records)()
            self.blind.answered(self.audit, standins, leads=self._leads())
        except HinomiError as error:
            self.blind.failed(error)

    def _leads(self) -> bool:
        held = self.records.get(LEASE, "respond") if self.machine else None
        return held is None or str(held.body.get("holder", "")).startswith(self.machine)


@contextmanager
def watched(process: Role) -> Iterator[None]:
    """While the block runs the store is asked, where the process is the one that calls people."""
    if process.name != "respond" or not process.settings.respond.notify.blind_minutes:
        yield
        return
    records = process.records(answer=_ANSWER)
    name = process.machine.rstrip("/") or str(process.data)
    blind = Blind(process.clock, process.settings.respond, process.data / FILE, name)
    probe = Probe(records, blind, Audit(records, process.clock), process.machine)
    with beside("blindness", partial(_run, probe.look), records, leave=_LEAVE):
        yield


def _run(look: Callable[[], None], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            look()
        except Exception as error:  # whatever a record holds: the next look is wanted all the more
            log.error("blindness_not_looked", error=f"{type(error).__name__}: {error}")
        stop.wait(_EVERY)
