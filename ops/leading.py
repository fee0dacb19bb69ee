"""Leading and standing by, for a process whose work only one may do at a time."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hinomi.errors import HinomiError
from ops.journal import log
from ops.lease import ANSWER, Election, Lease
from ops.roles.start import Role


@dataclass(slots=True)
class Leading:
    """A lease that is stood for while the block runs."""

    lease: Lease
    election: Election
    _term: int = -1

    @classmethod
    def of(cls, name: str, process: Role) -> Self:
        """Of the lease of that name; the process's number and a random part tell it from those before it."""
        records = process.records(answer=ANSWER)
        lease = Lease(records, name, f"{process.label}-{secrets.token_hex(4)}")
        return cls(lease, Election(lease))

    def __enter__(self) -> Self:
        self.election.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.election.close()
        self.lease.records.close()

    def now(self, begin: Callable[[], object]) -> bool:
        """Whether to act now; `begin` is called first in each term. It stands by again where that fails."""
        if not self.lease.held():
            if self._term >= 0:
                log.info("standing_by", lease=self.lease.name)
            self._term = -1
            return False
        if self._term != self.lease.term:
            try:
                begin()
            except HinomiError as error:
                log.error("not_leading_yet", lease=self.lease.name, reason=str(error))
                return False
            self._term = self.lease.term
            log.info("leading", lease=self.lease.name, term=self._term)
        return True

    def again(self) -> None:
        """Begin anew at the next turn: what is held in memory may no longer be what is written."""
        self._term = -1
