"""What must hold after the fault campaign, found out from the store and from who was told."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from benchmarks._senders import Sender
from hinomi.batch import DEAD_LETTERS
from hinomi.errors import HinomiError
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from tests.e2e.split import Inbox
from tests.e2e.tower import until

_DATASET = "linux.auth"
_CAUGHT_UP, _TOLD = 600, 180


@dataclass(frozen=True, slots=True)
class Verdict:
    """events, records: as an administrator sees them; inbox: who was told."""

    events: ElasticEvents
    records: ElasticRecords
    senders: Sequence[Sender]
    inbox: Inbox

    @property
    def addresses(self) -> list[str]:
        """Of the planted attacks."""
        return [attack.address for sender in self.senders for attack in sender.planted]

    @property
    def acknowledged(self) -> int:
        """How many events the collectors said that they had."""
        return sum(1 for sender in self.senders for _ in sender.ids())

    def wait(self) -> None:
        """Until the parts have caught up."""
        acknowledged, planted = self.acknowledged, len(self.addresses)
        until(lambda: self._stored() >= acknowledged, _CAUGHT_UP, f"{acknowledged:,} events are stored")
        until(lambda: self.alerts().total() >= planted, _TOLD, f"{planted} planted attacks are alerts")
        # An alert is written before its incident, and that before anybody is called: none open does not mean all told.
        with contextlib.suppress(AssertionError):  # `wrong` says what is missing, and where it stopped
            until(lambda: float("inf") not in _asked(self.told, [float("inf")]), _TOLD, "all is told")
        open_ = {"state": ["planned", "sending"]}
        until(lambda: not _asked(lambda: self.records.count("notification", open_), 1), _TOLD, "all is sent")

    def wrong(self) -> Iterator[str]:
        """What is not as it must be, in words."""
        yield from self._of_events()
        if (found := self.alerts()) != Counter(self.addresses):
            yield f"attacks planted {sorted(self.addresses)}, alerts {dict(found)}"
        yield from self._of_notifications()

    def _stored(self) -> int:
        return _asked(lambda: self.events.count(datasets=[_DATASET]), -1)

    def _of_events(self) -> Iterator[str]:
        """Each acknowledged id is there once: as many, all distinct, and the same by the sum of their hashes."""
        self.events.refresh()
        found = pl.concat([frame["event.id"] for frame in self.events.scan(_DATASET, columns=["event.id"])])
        sent = pl.Series("event.id", [identity for sender in self.senders for identity in sender.ids()])
        if found.len() != sent.len():
            yield f"{sent.len():,} acknowledged, {found.len():,} stored"
        if (twice := found.len() - found.n_unique()) > 0:
            yield f"{twice:,} stored twice"
        if missing := sent.is_in(found.implode()).not_().sum():
            yield f"{missing:,} acknowledged events are missing"
        if letters := self.events.count(datasets=[DEAD_LETTERS]):
            yield f"{letters:,} dead letters"

    def alerts(self) -> Counter[str]:
        """Planted addresses by how many alerts name them."""
        found: list[Any] = _asked(lambda: self.records.find("alert", limit=10_000), [])
        return Counter(
            address for record in found for address in record.body["entities"].get("source.ip", [])[:1]
        )

    def told(self) -> list[float]:
        """Seconds from each attack's last acknowledged line to its first notification."""
        first: dict[str, float] = {}
        alerts = {r.id: r.body["entities"].get("source.ip", [""])[0] for r in self.records.find("alert")}
        of_incident = {
            incident.id: [alerts.get(identity, "") for identity in incident.body["alert_ids"]]
            for incident in self.records.find("incident", limit=10_000)
        }
        for record in self.records.find("notification", limit=10_000):  # folded: told in another
            if (at := self.inbox.first.get(record.body.get("into", record.id))) is not None:
                for address in of_incident.get(record.body["incident_id"], ()):
                    first[address] = min(at, first.get(address, at))
        planted = [attack for sender in self.senders for attack in sender.planted]
        return [
            max(0.0, first[one.address] - one.acknowledged) if one.address in first else float("inf")
            for one in planted
        ]

    def _of_notifications(self) -> Iterator[str]:
        held = {record.id: record.body for record in self.records.find("notification", limit=10_000)}
        if strange := set(self.inbox.came) - set(held):
            yield f"notifications that nobody planned: {strange}"
        for identity, body in held.items():
            unsure = any(not line.get("certain", True) for line in body["history"])
            least, most = (1 if body["state"] == "sent" else 0), (2 if unsure else 1)
            if not least <= self.inbox.came[identity] <= most:
                yield f"notification {identity} ({body['state']}, unsure: {unsure}) came {self.inbox.came[identity]} times"
        if (never := self.told().count(float("inf"))) > 0:
            yield f"{never} attacks were told to nobody; {self._outbox(held)}"

    def _outbox(self, held: Mapping[str, Mapping[str, Any]]) -> str:
        """What the outbox holds, and which incident each alert went into: to see where one stopped."""
        notifications = [(i[:8], b["state"], b["incident_id"][:8], b["history"]) for i, b in held.items()]
        alerts = [
            (r.id[:8], r.body["entities"].get("source.ip"), r.body["incident_id"][:8])
            for r in self.records.find("alert")
        ]
        laid_out = [(r.id[:8], r.body["taken"]) for r in self.records.find("detected")]
        return f"notifications {notifications}, alerts {alerts}, handed over {laid_out}"


def _asked(ask: Callable[[], Any], otherwise: Any) -> Any:
    """The answer, or something else while the cluster comes back."""
    try:
        return ask()
    except HinomiError:
        return otherwise
