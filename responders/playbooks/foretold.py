"""What targets say of acts that nobody approved yet: who is woken to decide should not find that it cannot be done.

Nothing is changed. A target that does not say it in time, or fails in any way but a refusal, has not refused.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Thread

from hinomi.errors import Refused
from hinomi.words import Words
from responders.connectors.catalogue import Connectors, target_of
from responders.connectors.protocol import Done
from responders.playbooks.permission import Permission
from responders.playbooks.run import Run, RunStep

_PATIENCE = 3.0
"""Seconds within each `_WINDOW` for all targets together: people are called by the thread that waits, and a hundred plans must not
each wait for a target that is silent."""
_WINDOW = 60.0
_NONE = Words("", "")


@dataclass(slots=True)
class Patience:
    """How long the tower may still wait for what targets say beforehand."""

    seconds: float = _PATIENCE
    _spent: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that may still be waited in this window."""
        if time.monotonic() - self._since >= _WINDOW:
            self._since, self._spent = time.monotonic(), 0.0
        return self.seconds - self._spent

    def join(self, threads: Sequence[Thread]) -> None:
        """Wait for all of them, no longer than what is left; what was waited is gone."""
        began = time.monotonic()
        until = began + self.left()
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        self._spent += time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Said:
    """What the targets said of some acts. refused: why, by the act's index; planned: what would be done, by the act's index."""

    acts: Sequence[RunStep]
    refused: dict[int, Words] = field(default_factory=dict)
    planned: dict[int, Done] = field(default_factory=dict)

    @property
    def warning(self) -> Words:
        """What whoever decides must know: which of the acts would be refused, and why. Empty where none would."""
        said = [(act, why) for act in self.acts if (why := self.refused.get(act.index)) is not None]
        if not said:
            return _NONE
        ja = "、".join(f"{act.title_ja}({why.ja})" for act, why in said)
        en = "; ".join(f"{act.title_en} ({why.en})" for act, why in said)
        return Words(f"承認しても、次は断られます: {ja}", f"would be refused even if approved: {en}")

    @property
    def bounded(self) -> list[RunStep]:
        """The acts that a search stands before, each with what was found: it is approved and nothing else is."""
        return [bounded(act, done) for act in self.acts if (done := self.planned.get(act.index)) is not None]


@dataclass(frozen=True, slots=True)
class Foretold:
    """Asks the targets of a run's acts, as the configuration and the records are now."""

    permission: Permission
    connectors: Connectors
    patience: Patience

    def of(self, run: Run, acts: Sequence[RunStep]) -> Said:
        """What they say now. They are asked beside one another: one that is silent hides what no other says."""
        said = Said(acts)
        if not acts or self.patience.left() <= 0:
            return said
        asking = [Thread(target=self._ask, args=(run, own, said), daemon=True) for own in _by_target(acts)]
        for thread in asking:
            thread.start()
        self.patience.join(asking)
        return Said(acts, dict(said.refused), dict(said.planned))

    def of_plan(self, run: Run) -> Run:
        """The run with what its targets say of it. A rehearsal changes nothing and says so itself."""
        said = self.of(run, [] if run.dry_run else [step for step in run.acts if not step.settled])
        for act in said.bounded:
            run = run.with_step(act)
        return run.model_copy(update={"warned_ja": said.warning.ja, "warned_en": said.warning.en})

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

    def _look(self, run: Run, act: RunStep) -> Done:
        """Raises Refused where the act would be; changes nothing."""
        self.permission.target(run, act)
        connector = self.connectors(act.act, act.on)
        if connector is None:
            raise Refused("接続先が設定されていません。", f"no target is configured for {act.act}")
        return connector.plan(act.act, act.values)


def bounded(act: RunStep, done: Done) -> RunStep:
    """The act with what the search before it found, and that in words; as it was where nothing is searched for."""
    if done.extent is None:
        return act
    more = {"extent": list(done.extent), "result_ja": done.ja, "result_en": done.en}
    return act.model_copy(update=more)


def _by_target(acts: Sequence[RunStep]) -> list[list[RunStep]]:
    """The acts of each target, in their order: a target hears one question at a time."""
    found: dict[str, list[RunStep]] = {}
    for act in acts:
        found.setdefault(target_of(act.act, act.on), []).append(act)
    return list(found.values())
