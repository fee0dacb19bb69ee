"""Which format a sender speaks: declared, or recognised once and then pinned."""

from dataclasses import dataclass, field

from collectors import catalogue
from hinomi.clock import Clock
from hinomi.store import Records

KIND = "source"
AUTO = "auto"
_SAMPLE = 200


@dataclass(slots=True)
class Formats:
    """Chooses a source for each (origin, peer); a choice made from content is kept in the records."""

    records: Records
    clock: Clock
    declared: dict[str, str] = field(default_factory=dict)
    _pinned: dict[str, str] = field(default_factory=dict)

    def source_of(self, origin: str, peer: str, lines: list[str]) -> str | None:
        """The source's name, or None while the lines look like nothing we know."""
        declared = self.declared.get(origin, AUTO)
        if declared != AUTO:
            return declared
        key = f"{origin}|{peer}"
        pinned = self._pinned.get(key) or self._held(key)
        if pinned is None:
            pinned = catalogue.recognise(lines[:_SAMPLE])
            if pinned is None:
                return None
            self._pin(key, origin, peer, pinned)
        self._pinned[key] = pinned
        return pinned

    def _held(self, key: str) -> str | None:
        record = self.records.get(KIND, f"pin|{key}")
        return str(record.body["source"]) if record else None

    def _pin(self, key: str, origin: str, peer: str, source: str) -> None:
        body = {
            "pin": True,
            "origin": origin,
            "peer": peer,
            "source": source,
            "since": self.clock.now().isoformat(),
        }
        self.records.put(KIND, f"pin|{key}", body)
