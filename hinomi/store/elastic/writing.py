"""An append to a cluster: several requests, in an order that a crash between any two of them cannot spoil.

Signals (what is followed) are stored, then named in the journal: who follows is told of none that is not there. Beside that,
in a thread of its own, go the events, which nobody follows. The reader's place comes when both are done: what a crash left
out is read again, and what it did not is there already.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hinomi.batch import Batch
from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.store.elastic import documents
from hinomi.store.elastic.bulk import Bulk, Item, Outcome
from hinomi.store.elastic.journal import Journal
from hinomi.store.elastic.letters import letter
from hinomi.store.elastic.names import Names
from hinomi.store.protocols import Appended


@dataclass(frozen=True, slots=True)
class Writing:
    """followed: datasets that `since` can follow; urgent: what they are sent with, so that they wait for no portion of the mass,
    which `mass` sends."""

    namespace: str
    followed: frozenset[str]
    journal: Journal
    names: Names
    clock: Clock
    urgent: Bulk
    mass: Bulk

    def append(self, batches: Sequence[Batch]) -> Appended:
        """All of it, or StoreError; what was under way has then ended."""
        first = [batch for batch in batches if batch.dataset in self.followed]
        rest = [batch for batch in batches if batch.dataset not in self.followed]
        if first and rest:
            with ThreadPoolExecutor(1, "signals") as beside:
                under_way = beside.submit(self._announced, first)
                found = [self._stored(rest, self.mass), under_way.result()]
        else:
            found = [self._announced(first), self._stored(rest, self.mass)]
        stored, duplicates = sum(one.stored for one in found), sum(one.duplicates for one in found)
        return Appended(stored=stored, duplicates=duplicates)

    def _announced(self, batches: Sequence[Batch]) -> Outcome:
        """Stored, and then named as arrived."""
        outcome = self._stored(batches, self.urgent)
        refused = {item.id for item, _ in outcome.refused}
        for batch in batches:
            named = documents.places(batch, self.namespace)
            self.journal.add(batch.dataset, [item for item in named if item.id not in refused])
        return outcome

    def _stored(self, batches: Sequence[Batch], bulk: Bulk) -> Outcome:
        """What was stored, dead letters among it; `refused` names the events that became some."""
        outcome = bulk.send(item for batch in batches for item in documents.items(batch, self.namespace))
        aside = self._put_aside(outcome.refused, bulk)
        outcome.stored += aside.stored
        outcome.duplicates += aside.duplicates
        for batch in batches:
            self.names.learn(batch)
        return outcome

    def _put_aside(self, refused: Sequence[tuple[Item, str]], bulk: Bulk) -> Outcome:
        """What the mapping cannot take is kept whole among the dead letters, with the reason."""
        now = self.clock.now()
        aside = bulk.send(letter(item, reason, self.namespace, now) for item, reason in refused)
        if left := aside.refused:
            raise StoreError(
                f"受け取られないイベントが {len(left)} 件あります: {left[0][1]}",
                f"{len(left)} events are refused even as dead letters: {left[0][1]}",
            )
        return aside
