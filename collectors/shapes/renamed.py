"""Another shape's fields under other names: one product that speaks two formats keeps one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from collectors.shapes.pairs import column_name
from collectors.source import Shape


@dataclass(frozen=True, slots=True)
class Renamed:
    """names: old → new. prefixes: what is taken off a name (`FTNTFGTlogid` → `logid`).

    lower: whether names are told apart without regard to case. Where two fields come to the same name the one
    without prefix wins, then the one that is written so; the others fill its gaps. None takes the place of a column of the intake itself.
    """

    shape: Shape
    names: Mapping[str, str]
    prefixes: Sequence[str] = ()
    lower: bool = False

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of the inner shape, renamed."""
        return [self._renamed(frame) for frame in self.shape.read(intake)]

    def _renamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        groups: dict[str, list[str]] = {}
        for name in sorted(frame.columns, key=self._rank):
            groups.setdefault(self._name(name), []).append(name)
        return frame.select(pl.coalesce(olds).alias(new) for new, olds in groups.items())

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        """By the name alone, not by where other lines have it."""
        return name.startswith(tuple(self.prefixes)), self._cased(name) != name, name

    def _name(self, name: str) -> str:
        for prefix in self.prefixes:
            if prefix and name.startswith(prefix):
                return column_name(self._cased(name.removeprefix(prefix)))
        cased = self._cased(name)
        return self.names.get(cased, cased if cased == name else column_name(cased))

    def _cased(self, name: str) -> str:
        return name.lower() if self.lower else name


def renamed(
    shape: Shape, names: Mapping[str, str], prefixes: Sequence[str] = (), *, lower: bool = False
) -> Renamed:
    """A shape with other names for its fields; see `Renamed`."""
    return Renamed(shape, names, tuple(prefixes), lower)
