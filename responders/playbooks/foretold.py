"""What targets say of acts that nobody approved yet: who is woken to decide should not find that it cannot be done.

Nothing is changed. A target that does not say it in time, or fails in any way but a refusal, has not refused; what it said when it was
asked before still stands. What it would have had to search for is then not counted, and whoever decides is told so.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Thread

from hinomi.errors import Refused
from hinomi.words import Words
from responders.connectors.catalogue import Connectors, target_of
from responders.connectors.protocol import Done, Searching
from responders.playbooks.permission import Permission
from responders.playbooks.run import Run, RunStep, StepState
from responders.playbooks.systems import narrowed

_PATIENCE = 3.0
"""Seconds within each `_WINDOW` for all targets together: people are called by the thread that waits, and a hundred plans must not
each wait for a target that is silent."""
_WINDOW = 60.0
_TOLD = 3
"""So many acts are named in a warning; the others are counted: it stands in messages and on a phone."""
_REFUSED = Words("承認しても、次は断られます", "would be refused even if approved")
_UNCOUNTED = Words(
    "次は数を確かめられませんでした。承認すると、行う時に見つかるものすべてに行います",
    "could not be counted, and if approved is done to all that is found when it is done",
)


@dataclass(slots=True)
class Patience:
    """How long the tower may still wait for what targets say beforehand, and which of them have not answered yet."""

    seconds: float = _PATIENCE
    _asked: dict[str, Thread] = field(default_factory=dict)
    _spent: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that may still be waited in this window."""
        if time.monotonic() - self._since >= _WINDOW:
            self._since, self._spent = time.monotonic(), 0.0
        return self.seconds - self._spent

    def ask(self, target: str, thread: Thread) -> Thread | None:
        """Start it, unless the target still owes the answer to the one before: each minute another would pile up at it."""
        before = self._asked.get(target)
        if before is not None and before.is_alive():
            return None
        self._asked[target] = thread
        thread.start()
        return thread

    def join(self, threads: Sequence[Thread]) -> None:
        """Wait for all of them, no longer than what is left; what was waited is gone."""
        began = time.monotonic()
        until = began + self.left()
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        self._spent += time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Said:
    """What the targets said of some acts. refused: why, by the act's index; planned: what would be done, by the act's index; searching:
    indices of the acts that a search stands before."""

    acts: Sequence[RunStep]
    refused: dict[int, Words] = field(default_factory=dict)
    planned: dict[int, Done] = field(default_factory=dict)
    searching: frozenset[int] = frozenset()

    @property
    def warning(self) -> Words:
        """What whoever decides must know: which of the acts would be refused, and why; of which nobody knows how much they would touch.
        Empty where there is none."""
        known = self.known
        refused = [
            Words(f"{one.title_ja}({one.warned_ja})", f"{one.title_en} ({one.warned_en})")
            for one in known
            if one.warned_ja
        ]
        open_ended = [Words(one.title_ja, one.title_en) for one in known if self._uncounted(one)]
        said = [*_warning(_REFUSED, refused), *_warning(_UNCOUNTED, open_ended)]
        return Words("。".join(one.ja for one in said), ". ".join(one.en for one in said))

    @property
    def known(self) -> list[RunStep]:
        """The acts, each with what was found for it (that is approved and nothing else is) or why it would be refused; one of which
        nothing was heard as it was, and one that is begun: that is done to what was found for it before."""
        return [self._known(act) for act in self.acts]

    def _known(self, act: RunStep) -> RunStep:
        if act.state is not StepState.PLANNED:
            return act
        if (why := self.refused.get(act.index)) is not None:
            return act.model_copy(update={"warned_ja": why.ja, "warned_en": why.en})
        if (done := self.planned.get(act.index)) is not None:
            return bounded(act, done).model_copy(update={"warned_ja": "", "warned_en": ""})
        return act

    def _uncounted(self, act: RunStep) -> bool:
        return act.index in self.searching and act.extent is None and not act.warned_ja


@dataclass(frozen=True, slots=True)
class Foretold:
    """Asks the targets of a run's acts, as the configuration and the records are now."""

    permission: Permission
    connectors: Connectors
    patience: Patience

    def of(self, run: Run, acts: Sequence[RunStep]) -> Said:
        """What they say now. They are asked beside one another: one that is silent hides what no other says."""
        said = Said(acts, searching=frozenset(act.index for act in acts if self._searches(act)))
        if not acts or self.patience.left() <= 0:
            return said
        asking = [
            self.patience.ask(target, Thread(target=self._ask, args=(run, own, said), daemon=True))
            for target, own in _by_target(acts).items()
        ]
        self.patience.join([one for one in asking if one is not None])
        return replace(said, refused=dict(said.refused), planned=dict(said.planned))

    def of_plan(self, run: Run) -> Run:
        """The run with what its targets say of it. A rehearsal changes nothing and says so itself."""
        said = self.of(run, [] if run.dry_run else [step for step in run.acts if not step.settled])
        for act in said.known:
            run = run.with_step(act)
        warning = said.warning
        return run.model_copy(update={"warned_ja": warning.ja, "warned_en": warning.en})

    def _ask(self, run: Run, acts: Sequence[RunStep], said: Said) -> None:
        for act in acts:
            try:
                done = self._look(run, act)
            except Refused as error:
                said.refused[act.index] = Words(error.ja, error.en)
            except Exception:  # noqa: S112 - whatever else goes wrong in looking keeps no question from people
                continue
            else:
                said.planned[act.index] = done

    def _searches(self, act: RunStep) -> bool:
        try:
            connector = self.connectors(act.act, act.on)
        except Exception:  # as above
            return False
        return isinstance(connector, Searching) and connector.searches(act.act)

    def _look(self, run: Run, act: RunStep) -> Done:
        """Raises Refused where the act would be; changes nothing."""
        self.permission.target(run, act)
        connector = self.connectors(act.act, act.on)
        if connector is None:
            raise Refused("接続先が設定されていません。", f"no target is configured for {act.act}")
        return narrowed(connector, act).plan(act.act, act.values)


def bounded(act: RunStep, done: Done) -> RunStep:
    """The act with what the search before it found, and that in words; as it was where nothing is searched for."""
    if done.extent is None:
        return act
    more = {"extent": list(done.extent), "result_ja": done.ja, "result_en": done.en}
    return act.model_copy(update=more)


def _warning(lead: Words, acts: Sequence[Words]) -> Iterable[Words]:
    """One sentence about these acts; none about none."""
    if not acts:
        return
    more = len(acts) - _TOLD
    ja = "、".join(one.ja for one in acts[:_TOLD]) + (f"、ほか {more} 件" if more > 0 else "")
    en = "; ".join(one.en for one in acts[:_TOLD]) + (f"; {more} more" if more > 0 else "")
    yield Words(f"{lead.ja}: {ja}", f"{lead.en}: {en}")


def _by_target(acts: Sequence[RunStep]) -> dict[str, list[RunStep]]:
    """The acts of each target, in their order: a target hears one question at a time."""
    found: dict[str, list[RunStep]] = {}
    for act in acts:
        found.setdefault(target_of(act.act, act.on), []).append(act)
    return found
