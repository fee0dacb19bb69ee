"""A thread of each process that keeps the machine's copies up to date, over a connection of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from hinomi.errors import HinomiError
from ops.beside import beside
from ops.journal import log
from ops.roles.start import Role
from ops.shared.content import contents
from ops.shared.copy import Copy

_EVERY = 5.0
_LONGEST = 300.0  # seconds between two turns while nothing can be done
_LEAVE = 10.0  # seconds that a stop waits for an answer


@dataclass(slots=True)
class Keeping:
    """What cannot be brought up to date is said once, until it can be again."""

    copies: list[Copy]
    _failed: dict[str, str] = field(default_factory=dict)

    def turn(self) -> None:
        """Look at each copy."""
        for copy in self.copies:
            name = copy.content.id
            try:
                copy.renew()
            except Exception as error:  # a full disk, a mistake of our own: what is here stays in use
                reason = str(error) if isinstance(error, HinomiError) else f"{type(error).__name__}: {error}"
                if self._failed.get(name) != reason:
                    log.warning("shared_not_taken", what=name, reason=reason)
                self._failed[name] = reason
            else:
                if self._failed.pop(name, None) is not None:
                    log.info("shared_taken_again", what=name)


@contextmanager
def kept_current(process: Role) -> Iterator[None]:
    """While the block runs; before it begins each copy has been looked at. On an embedded store there is one folder, and
    nothing to do."""
    role = process.name.split("-")[0]
    if process.settings.store.kind == "embedded" or process.lane or role not in _ROLES:
        yield
        return
    records = process.records()
    found = contents(process.settings, process.data, role)
    keeping = Keeping([Copy.of(one, records, process.data) for one in found])
    keeping.turn()
    with beside("shared", partial(_run, keeping), records, leave=_LEAVE):
        yield


_ROLES = frozenset({"worker", "detect", "respond", "console"})


def _run(keeping: Keeping, stop: threading.Event) -> None:
    pause = _EVERY
    while not stop.wait(pause):
        try:
            keeping.turn()
            pause = _EVERY
        except Exception as error:  # it could not even be said: the thread goes on, more slowly
            pause = min(2 * pause, _LONGEST)
            with suppress(Exception):
                log.error("shared_failed", reason=f"{type(error).__name__}: {error}", again_in=pause)
