"""JSON documents one behind the other, each read when it is first asked for.

A rule set has thousands of rules, and most starts ask of few of them what they are called.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import orjson


class Documents:
    """A list of JSON objects that grows at its end."""

    def __init__(self, held: Iterable[bytes | dict[str, Any]] = ()) -> None:
        self._held = list(held)

    @classmethod
    def of_lines(cls, lines: bytes) -> Self:
        """The documents of `lines`."""
        return cls(lines.split(b"\n") if lines else ())

    def lines(self) -> bytes:
        """Each document as a line of JSON, which holds no line's end itself."""
        return b"\n".join(one if isinstance(one, bytes) else orjson.dumps(one) for one in self._held)

    def append(self, document: dict[str, Any]) -> None:
        """One more."""
        self._held.append(document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Documents) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, number: int) -> dict[str, Any]:
        one = self._held[number]
        if isinstance(one, bytes):
            one = self._held[number] = orjson.loads(one)
        return one

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self.__getitem__, range(len(self)))
