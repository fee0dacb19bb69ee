"""The respond process: keeps incidents, calls people, runs playbooks and periodic jobs.

The only process that holds credentials of connectors and notification channels. On the embedded store it correlates
signals itself; on Elasticsearch the detect process does and hands alerts over, and of several respond processes one
leads while the others stand by.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hinomi.errors import HinomiError, StoreError
from hinomi.faults import Faults
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops.counts import Counts
from ops.detection import Detection
from ops.folders import cache_folder
from ops.handover import Handover
from ops.journal import log
from ops.leading import Leading
from ops.lease import Fenced
from ops.metrics import exposition
from ops.rhythm import Rhythm
from ops.roles.start import Role, role
from ops.schedule import Jobs, Timetable
from ops.service import shelf, signing_key
from ops.watch import LiveRules
from responders.responder import Responder
from rules.stats import Tally

_PAUSE = 0.3
_SAY_EVERY = 1.0


@dataclass(slots=True)
class Respond:
    """detection: the correlator of an embedded tower, else None; leading: the lease, where there may be several."""

    role: Role
    responder: Responder
    timetable: Timetable
    counts: Counts
    rhythm: Rhythm
    detection: Detection | None = None
    leading: Leading | None = None
    ledger: Ledger = field(default_factory=Ledger)
    _said: float = 0.0
    _more: bool = False

    def run(self) -> None:
        """Until told to stop."""
        if self.leading is None:
            self._begin()
        while not self.role.stop.is_set():
            more = False
            if self.leading is None or self.leading.now(self._begin):
                more = self._turn()
            self._say()
            self.role.stop.wait(0.0 if more else _PAUSE)
        if self.detection is not None:
            self.detection.close()
        self._save_counts()

    def _begin(self) -> None:
        """What is done once, before acting: settle what a crash left open, read where the correlator was."""
        loads = [self.detection.load] if self.detection is not None else []
        faults = Faults()
        for part in (self.responder.start, self.rhythm.load, *loads):
            with faults.kept():
                part()
        self._say_faults(faults)

    def _turn(self) -> bool:
        """One round: new signals to alerts to incidents, then everything that time brings. True when more waits.

        Calling people goes on, whatever one incident's data holds; a store that does not answer ends the round.
        """
        self._more, faults = False, Faults()
        try:
            for stage in (self._receive, self._watch, self.responder.tick, self._tell):
                with faults.kept():
                    stage()
        except StoreError as error:
            faults.errors.append(error)
        self._say_faults(faults)
        if faults.errors:
            self.role.stop.wait(1.0)
        return self._more

    def _say_faults(self, faults: Faults) -> None:
        for one in faults.errors:
            reason = str(one) if isinstance(one, HinomiError) else f"{type(one).__name__}: {one}"
            log.error("respond_failed", reason=reason)

    def _receive(self) -> None:
        if self.detection is not None:
            self._more = self.detection.turn(self.responder.receive)
        else:
            self._more = Handover(self.responder.records).take(self.responder.receive)

    def _watch(self) -> None:
        self.rhythm.turn(self.responder.receive)

    def _tell(self) -> None:
        """Hand over what the tower says of itself; what cannot be now is tried in the next round, whatever went wrong."""
        alerts = self.timetable.take(self.ledger)
        try:
            if alerts:
                self.responder.receive(alerts)
        except Exception:
            for alert in alerts:
                self.timetable.tell(alert)
            raise

    def _say(self) -> None:
        if time.monotonic() - self._said < _SAY_EVERY:
            return
        self._said = time.monotonic()
        self._save_counts()
        leads = self.leading is None or self.leading.lease.held()
        more: dict[str, Any] = {}
        if self.detection is not None:
            more = {"after": self.detection.after, "problems": self.detection.problems()}
        self.role.ready(leader=leads, **more)

    def _save_counts(self) -> None:
        try:
            for ledger in (
                self.ledger,
                self.responder.ledger,
                *([self.detection.ledger] if self.detection else []),
            ):
                self.counts.save(ledger)
        except HinomiError as error:  # the counts stay in the ledger until the store takes them
            log.error("counts_not_saved", reason=str(error))


@contextmanager
def _metrics(process: Role, events: Events, records: Records) -> Iterator[None]:
    """Prometheus on the configured address while the block runs; nothing when the port is 0."""
    server = _metrics_server(process, events, records)
    if server is None:
        yield
        return
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:  # a thread that outlives the interpreter's end makes DuckDB complain into the log
        server.shutdown()
        server.server_close()
        thread.join()


def _metrics_server(process: Role, events: Events, records: Records) -> ThreadingHTTPServer | None:
    settings = process.settings.metrics
    if not settings.port:
        return None

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.split("?")[0] == "/metrics"
            try:
                code, body = (
                    (200, exposition(events, records, process.run)) if known else (404, b"see /metrics\n")
                )
            except HinomiError as error:  # the store is down: said to who asks, and the tower goes on
                code, body = 503, f"# {error.en}\n".encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Requests for metrics are no news."""

    try:
        return ThreadingHTTPServer((settings.address, settings.port), Page)
    except OSError as error:
        log.error("metrics_not_served", address=settings.address, port=settings.port, reason=str(error))
        return None


def _run(process: Role) -> None:
    events, records = process.events(), process.records()
    leading = Leading.of("respond", process) if process.machine else None
    own: Records = Fenced(records, leading.lease) if leading else records
    key = signing_key(process.settings.store, records, process.data)
    kept = shelf(process.settings.store, own, process.data)
    responder = Responder.of(own, process.clock, process.settings.respond, key, events=events, evidence=kept)
    for problem in responder.problems:
        log.error("playbook_not_loaded", reason=str(problem))
    detection = None
    if leading is None:
        rules = LiveRules(process.settings.rules_in_force(process.data), cache_folder())
        tally = Tally(records, process.label, process.clock)
        detection = Detection(
            events, records, rules, process.clock, process.settings.rules.lateness, tally=tally
        )
    block: AbstractContextManager[object] = leading or nullcontext()
    with _metrics(process, events, records), block:
        beside = process.records()
        for_jobs: Records = Fenced(beside, leading.lease) if leading else beside
        timetable = Timetable.of(process, process.events(), for_jobs)
        rhythm = Rhythm(own, process.settings.rhythm, process.settings.expected_sources(), process.clock)
        counts = Counts(records, process.label)
        with Jobs(timetable, lambda: leading is None or leading.lease.held()):
            Respond(process, responder, timetable, counts, rhythm, detection, leading).run()


if __name__ == "__main__":
    role("respond", _run)
