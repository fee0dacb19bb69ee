"""What a baseline keeps by entity, within bounds: what was quiet longest goes first."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

V = TypeVar("V")

MOST = 50_000


class Recent(Generic[V]):
    """Key → value, in the order of last use. A key over `most` costs the one that was quiet longest, counted."""

    def __init__(self, new: Callable[[], V], most: int = MOST) -> None:
        self.new = new
        self.most = most
        self.kept: dict[str, tuple[int, V]] = {}
        self.lost = 0

    def of(self, key: str, mark: int) -> V:
        """The value of a key, new where there is none. mark: how far event time has come."""
        _, value = self.kept.pop(key, (0, None))
        if value is None:
            value = self.new()
        self.kept[key] = mark, value
        if len(self.kept) > self.most:
            del self.kept[next(iter(self.kept))]
            self.lost += 1
        return value

    def forget(self, before: int) -> None:
        """Drop what was last used before that mark: it is over, and no loss."""
        while self.kept:
            key = next(iter(self.kept))
            if self.kept[key][0] >= before:
                return
            del self.kept[key]

    def take_lost(self) -> int:
        """Keys given up for want of room since the last call."""
        n, self.lost = self.lost, 0
        return n

    def dump(self, value: Callable[[V], Any]) -> list[list[Any]]:
        """Key, mark and value (as JSON by the function) of each."""
        return [[key, mark, value(held)] for key, (mark, held) in self.kept.items()]

    def load(self, state: list[list[Any]], value: Callable[[Any], V]) -> None:
        """Take up what `dump` gave."""
        self.kept = {key: (mark, value(held)) for key, mark, held in state}
