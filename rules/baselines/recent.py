"""What a baseline keeps by entity, within bounds of number and of bytes: what was quiet longest goes first."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

V = TypeVar("V")

MOST = 50_000
ROOM = 32 << 20
"""Bytes that what is kept may take, reckoned."""
_OF_KEY = 300  # bytes of a key's place and an empty value


class Recent(Generic[V]):
    """Key → value, in the order of last use. A key over `most`, or bytes over `room`, cost those that were quiet longest,
    counted. weigh: the bytes of a value beside its place; whoever makes one larger says so (`grew`)."""

    def __init__(
        self, new: Callable[[], V], weigh: Callable[[V], int], most: int = MOST, room: int = ROOM
    ) -> None:
        self.new, self.weigh = new, weigh
        self.most, self.room = most, room
        self.kept: dict[str, tuple[int, V, int]] = {}
        self.taken = 0
        self.lost = 0

    def of(self, key: str, mark: int) -> V:
        """The value of a key, new where there is none. mark: how far event time has come."""
        found = self.kept.pop(key, None)
        if found is not None:
            self.kept[key] = mark, found[1], found[2]
            return found[1]
        value = self.new()
        self._put(key, mark, value, _OF_KEY + 2 * len(key))
        self._make_room()
        return value

    def get(self, key: str) -> V | None:
        """The value of a key, None where there is none; it is not thereby used."""
        found = self.kept.get(key)
        return None if found is None else found[1]

    def grew(self, key: str, n: int) -> None:
        """That the value of a key, used just now, takes so many bytes more."""
        mark, value, size = self.kept[key]
        self.kept[key] = mark, value, size + n
        self.taken += n
        self._make_room()

    def _put(self, key: str, mark: int, value: V, size: int) -> None:
        self.kept[key] = mark, value, size
        self.taken += size

    def _make_room(self) -> None:
        while len(self.kept) > self.most or (self.taken > self.room and len(self.kept) > 1):
            self._drop(next(iter(self.kept)))
            self.lost += 1

    def _drop(self, key: str) -> None:
        self.taken -= self.kept.pop(key)[2]

    def forget(self, before: int) -> None:
        """Drop what was last used before that mark: it is over, and no loss."""
        while self.kept:
            key = next(iter(self.kept))
            if self.kept[key][0] >= before:
                return
            self._drop(key)

    def take_lost(self) -> int:
        """Keys given up for want of room since the last call."""
        n, self.lost = self.lost, 0
        return n

    def dump(self, value: Callable[[V], Any]) -> list[list[Any]]:
        """Key, mark and value (as JSON by the function) of each."""
        return [[key, mark, value(held)] for key, (mark, held, _) in self.kept.items()]

    def load(self, state: list[list[Any]], value: Callable[[Any], V]) -> None:
        """Take up what `dump` gave; what is over the bounds by now goes, counted."""
        self.kept, self.taken = {}, 0
        for key, mark, body in state:
            held = value(body)
            self._put(key, mark, held, _OF_KEY + 2 * len(key) + self.weigh(held))
        self._make_room()
