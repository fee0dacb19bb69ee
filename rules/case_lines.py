"""Raw lines of a test file, read by their real sources: all lines of one source together, once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from collectors import catalogue
from collectors.source import ROW
from hinomi import ecs


@dataclass(slots=True)
class Lines:
    """What sources made of lines. received: when the lines came, for sources whose lines tell no year or day."""

    received: datetime
    known: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)

    def read(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read those (source, line) that are not known yet."""
        by_source: dict[str, list[str]] = {}
        for source, line in dict.fromkeys(wanted):
            if (source, line) not in self.known:
                by_source.setdefault(source, []).append(line)
        for source, lines in by_source.items():
            fields = self._parsed(source, lines)
            self.known |= {(source, line): fields.get(row) for row, line in enumerate(lines)}

    def of(self, source: str, line: str) -> Mapping[str, Any] | None:
        """The fields of a line; None where its source does not understand it."""
        if (source, line) not in self.known:
            self.read([(source, line)])
        return self.known[source, line]

    def _parsed(self, source: str, lines: list[str]) -> dict[int, dict[str, Any]]:
        columns = {"message": lines, "received": [self.received] * len(lines), "peer": [""] * len(lines)}
        intake = pl.DataFrame(columns).with_columns(pl.col("received").cast(ecs.TIME))
        found: dict[int, dict[str, Any]] = {}
        for frame in catalogue.find(source).parse(intake).frames:
            for row in ecs.rows(frame):
                found.setdefault(row.pop(ROW), row)
        return {
            number: fields | {"event.original": lines[number]} for number, fields in sorted(found.items())
        }
