"""Work on many things of which one may be broken: the others are done all the same, then what went wrong is raised."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import structlog

from hinomi.errors import StoreError
from hinomi.store import Record

T = TypeVar("T")
log = structlog.get_logger()
_said: set[tuple[str, str, int]] = set()


def readable(records: Iterable[Record], read: Callable[[Record], T]) -> Iterator[T]:
    """Each record as `read` gives it. One that is damaged, or of a release that wrote it otherwise, is passed over and said
    once: what it asks for is not done, and nobody else waits for it. Raises StoreError."""
    for record in records:
        try:
            value = read(record)
        except StoreError:
            raise
        except Exception as error:  # whatever the record holds
            if (mark := (record.kind, record.id, record.version)) not in _said:
                _said.add(mark)
                log.error(
                    "record_damaged",
                    kind=record.kind,
                    id=record.id,
                    reason=f"{type(error).__name__}: {error}"[:300],
                )
        else:
            yield value


@dataclass(slots=True)
class Faults:
    """`with Faults() as faults:`, and in it `with faults.kept():` around each part. A store that does not answer is raised
    at once, as all the rest needs it; the first of any other errors when the block ends."""

    errors: list[Exception] = field(default_factory=list)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around one part. Raises StoreError; any other error is kept."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # whatever data the part holds
            self.errors.append(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.errors:
            raise self.errors[0]
