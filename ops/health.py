"""What each sender sent and how much of it was understood, kept as records for the console and the reports."""

from dataclasses import dataclass, field
from datetime import datetime

from hinomi.store import Records

KIND = "source"


@dataclass(slots=True)
class Tally:
    """Since the last saving: lines received, understood, not understood; when the last one came."""

    received: int = 0
    parsed: int = 0
    dead_letters: int = 0
    last: datetime | None = None


@dataclass(slots=True)
class SourceHealth:
    """One process's tallies by (origin, source); its name keeps writers apart."""

    records: Records
    process: str
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)

    def took(self, origin: str, source: str, parsed: int, dead_letters: int, last: datetime) -> None:
        """Count what one block held of a sender."""
        tally = self.tallies.setdefault((origin, source), Tally())
        tally.received += parsed + dead_letters
        tally.parsed += parsed
        tally.dead_letters += dead_letters
        tally.last = last

    def expect(self, origins: dict[str, str]) -> None:
        """Show configured origins that sent nothing yet as waiting."""
        heard = {record.body["origin"] for record in self.records.find(KIND, limit=10_000)}
        for origin, source in origins.items():
            if origin not in heard:
                self.records.put(
                    KIND, f"health|{origin}|", {"origin": origin, "source": source, "received": 0}
                )

    def save(self) -> None:
        """Add the tallies to the records."""
        for (origin, source), tally in self.tallies.items():
            identity = f"health|{self.process}|{origin}|{source}"
            held = self.records.get(KIND, identity)
            before = held.body if held else {}
            body = {
                "origin": origin,
                "source": source,
                "last_received": tally.last.isoformat() if tally.last else before.get("last_received"),
                "received": int(before.get("received", 0)) + tally.received,
                "parsed": int(before.get("parsed", 0)) + tally.parsed,
                "dead_letters": int(before.get("dead_letters", 0)) + tally.dead_letters,
            }
            self.records.put(KIND, identity, body)
            self.records.delete(KIND, f"health|{origin}|")
        self.tallies.clear()
