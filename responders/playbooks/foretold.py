"""What targets say of acts that nobody approved yet: who is woken to decide should not find that it cannot be done.

Nothing is changed. A target that does not say it in time, or fails in any way but a refusal, has not refused.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread

from hinomi.errors import Refused
from hinomi.words import Words
from responders.playbooks.run import RunStep

_PATIENCE = 5.0
"""Seconds for all targets behind one gate: people are called by the thread that waits."""
_PAUSE = 60.0
"""Seconds in which nobody is asked after a target took longer, so that a hundred gates do not each wait for it."""


@dataclass(slots=True)
class Foretold:
    """Asks beforehand, for all gates."""

    patience: float = _PATIENCE
    _quiet_until: float = 0.0

    def refusals(self, acts: Sequence[RunStep], look: Callable[[RunStep], object]) -> dict[int, Words]:
        """Those of the acts, by index, that would be refused now, and why. look: raises Refused for these."""
        if not acts or time.monotonic() < self._quiet_until:
            return {}
        found: dict[int, Words] = {}

        def ask() -> None:
            for step in acts:
                try:
                    look(step)
                except Refused as error:
                    found[step.index] = Words(error.ja, error.en)
                except Exception:  # noqa: S112 - whatever else goes wrong in looking keeps no question from people
                    continue

        asking = Thread(target=ask, daemon=True)
        asking.start()
        asking.join(self.patience)
        if asking.is_alive():
            self._quiet_until = time.monotonic() + _PAUSE
        return dict(found)
