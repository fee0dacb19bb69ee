"""The respond process: correlates signals, keeps incidents, calls people, runs playbooks and periodic jobs.

The only process that holds credentials of connectors and notification channels.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hinomi import signal
from hinomi.alert import Alert
from hinomi.errors import HinomiError
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops.counts import Counts
from ops.folders import cache_folder
from ops.journal import log
from ops.metrics import exposition
from ops.roles.start import Role, role
from ops.schedule import Timetable
from ops.watch import LiveRules
from responders.responder import Responder, link_key
from rules.correlation import Correlator
from rules.engine import RuleSet

_PAUSE = 0.3
_SAY_EVERY = 1.0
_SAVE_EVERY = 2.0
_SAVE_SHARE = 0.05  # of the time at most goes into saving, however large the state is
_STATE = ("state", "correlator")


@dataclass(slots=True)
class Respond:
    """Follows the signals in order of arrival.

    The correlator's state is saved in parts, those that changed, and its place after them: a crash in between leaves
    parts that are further than the place, and what they have seen is read again and known.
    """

    role: Role
    events: Events
    records: Records
    responder: Responder
    rules: LiveRules
    ledger: Ledger = field(default_factory=Ledger)
    correlator: Correlator | None = None
    after: str | None = None
    _set: RuleSet | None = None
    _said: float = 0.0
    _saved: float = 0.0
    _took: float = 0.0

    def run(self) -> None:
        """Until told to stop."""
        self.responder.start()
        self._load()
        counts, timetable = (
            Counts(self.records, self.role.label),
            Timetable.of(self.role, self.events, self.records),
        )
        while not self.role.stop.is_set():
            self._turn()
            timetable.run_due(self.ledger)
            if time.monotonic() - self._said > _SAY_EVERY:
                self._said = time.monotonic()
                counts.save(self.ledger)
                counts.save(self.responder.ledger)
                self.role.ready(after=self.after, problems=[str(one) for one in self._correlator().problems])
            self.role.stop.wait(_PAUSE)
        self._save()
        counts.save(self.ledger)

    def _turn(self) -> None:
        """One round: new signals to alerts to incidents, then everything that time brings."""
        try:
            self._follow()
            self.responder.tick()
        except HinomiError as error:
            log.error("respond_failed", reason=str(error))
            self.role.stop.wait(1.0)
        except Exception as error:  # calling people goes on, whatever one incident's data holds
            log.error("respond_failed", reason=f"{type(error).__name__}: {error}")
            self.role.stop.wait(1.0)

    def _follow(self) -> None:
        alerts: dict[str, Alert] = {}
        after = self.after
        for token, frame in self.events.since(signal.DATASET, self.after):
            for alert in self._correlator().feed(frame):
                alerts[alert.id] = alert
            after = token
        if after == self.after:
            return
        # Alerts are written before the place is: a crash in between makes the same alerts again, under the same ids.
        self.responder.receive(sorted(alerts.values(), key=lambda alert: (alert.last, alert.id)))
        self.after = after
        if time.monotonic() - self._saved > max(_SAVE_EVERY, self._took / _SAVE_SHARE):
            self._save()

    def _correlator(self) -> Correlator:
        rules = self.rules()
        if self.correlator is None or rules is not self._set:
            late = timedelta(minutes=self.role.settings.rules.lateness_minutes)
            fresh = Correlator.of(rules, self.role.clock, lateness=late, ledger=self.ledger)
            if self.correlator is not None:
                fresh.take_over(self.correlator)
            self.correlator, self._set = fresh, rules
        return self.correlator

    def _load(self) -> None:
        correlator, held = self._correlator(), self.records.get(*_STATE)
        if held is None:
            return
        self.after = held.body["after"]
        for name in held.body.get("parts", ()):
            if (part := self.records.get(_STATE[0], f"{_STATE[1]}-{name}")) is not None:
                correlator.load(part.body)
        if "state" in held.body:  # of a release that kept it in one piece
            correlator.load(held.body["state"])

    def _save(self) -> None:
        """What came since the last saving is read and worked out again after a crash."""
        began = time.monotonic()
        held = self.records.get(*_STATE)
        names = set(held.body.get("parts", ())) if held is not None else set()
        for name, part in self._correlator().changes().items():
            self.records.put(_STATE[0], f"{_STATE[1]}-{name}", part)
            names.add(name)
        self.records.put(*_STATE, {"after": self.after, "parts": sorted(names)})
        self._saved = time.monotonic()
        self._took = self._saved - began


def _serve_metrics(process: Role, events: Events, records: Records) -> None:
    """Prometheus on the configured address; nothing when the port is 0."""
    settings = process.settings.metrics
    if not settings.port:
        return

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.split("?")[0] == "/metrics"
            body = exposition(events, records, process.run) if known else b"see /metrics\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Requests for metrics are no news."""

    try:
        server = ThreadingHTTPServer((settings.address, settings.port), Page)
    except OSError as error:
        log.error("metrics_not_served", address=settings.address, port=settings.port, reason=str(error))
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _run(process: Role) -> None:
    events, records = process.events(), process.records()
    responder = Responder.of(
        records,
        process.clock,
        process.settings.respond,
        link_key(process.data / "link.key"),
        events=events,
        evidence=process.data / "evidence",
    )
    _serve_metrics(process, events, records)
    rules = LiveRules(process.settings.rule_folders(), cache_folder())
    Respond(process, events, records, responder, rules).run()


if __name__ == "__main__":
    role("respond", _run)
