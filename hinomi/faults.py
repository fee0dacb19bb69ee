"""Work on many things of which one may be broken: the others are done all the same, then what went wrong is raised."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from hinomi.errors import StoreError


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
