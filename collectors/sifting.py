"""Lines that are sifted together: what costs by kinds of events, not by lines, is done once for many blocks of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.narrow import Narrow, Reading, Sieve


@dataclass(slots=True)
class Sifted:
    """Lines that may match: number → numbers of the rules that hold; None where only the full reading can tell."""

    lines: dict[int, list[int] | None] = field(default_factory=dict)

    def add(self, row: int, rule: int) -> None:
        """A rule holds of a line."""
        rules = self.lines.setdefault(row, [])
        if rules is not None:
            rules.append(rule)


@dataclass(slots=True)
class Sifting:
    """Lines of one source, block by block; they are numbered through."""

    narrow: Narrow
    sieve: Sieve
    _reading: Reading = field(init=False)
    _spoken: list[int] = field(default_factory=list)
    _rows: int = 0

    def __post_init__(self) -> None:
        self._reading = self.narrow.reading(self.sieve.asked)

    def add(self, lines: Sequence[bytes]) -> tuple[int, list[int]]:
        """Take lines in: the number of the first, and those of the lines that may pass yet. The others need not be kept."""
        first, self._rows = self._rows, self._rows + len(lines)
        may = self._reading.add(first, lines)
        spoken = [
            first + place for place, words in self.sieve.spoken(lines) if self._speaks(lines[place], words)
        ]
        self._spoken += spoken
        return first, sorted({*may, *spoken}) if spoken else may

    @property
    def weight(self) -> int:
        """Bytes that the kinds of the lines take."""
        return self._reading.weight

    def _speaks(self, line: bytes, words: set[str]) -> bool:
        kind = self.narrow.constants(line)
        return kind is None or self.sieve.speaks(kind, words)

    def finish(self) -> Sifted:
        """Of all lines those that may match a rule or that only the full reading understands. Asked once."""
        narrowed = self._reading.finish()
        found = Sifted(dict.fromkeys(narrowed.whole))
        for kind in narrowed.kinds:
            passing = self.sieve.passing(kind)
            found.lines.update(dict.fromkeys(kind.rows[passing.untold].tolist()))
            for rule, places in passing.rules.items():
                for row in kind.rows[places].tolist():
                    found.add(row, rule)
        found.lines.update(dict.fromkeys(self._spoken))
        return found
