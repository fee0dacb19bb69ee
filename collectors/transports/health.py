"""What the listeners say of themselves while they run."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """What a kind tells of its own state, for the doctor; bad: somebody must look at it."""

    ja: str
    en: str
    bad: bool = False


@dataclass(slots=True)
class ListenerHealth:
    """One listener. Counts since the start; errors by a short stable English key; port as bound."""

    name: str
    kind: str
    address: str = ""
    port: int = 0
    up: bool = False
    connections: int = 0
    received: int = 0
    bytes: int = 0
    last_received: datetime | None = None
    waiting_for_room: bool = False
    problem: str = ""
    errors: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)

    def took(self, messages: int, size: int) -> None:
        """Count spooled messages."""
        self.received += messages
        self.bytes += size
        self.last_received = datetime.now(UTC)

    def as_dict(self) -> dict[str, Any]:
        """For the run folder and the console."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {
            **said,
            "kind": str(self.kind),
            "errors": dict(self.errors),
            "notes": [asdict(one) for one in self.notes],
        }


@dataclass(slots=True)
class Health:
    """All listeners of the process, by name."""

    listeners: dict[str, ListenerHealth] = field(default_factory=dict)

    def ports(self) -> dict[str, int]:
        """The bound port of each network listener."""
        return {name: said.port for name, said in self.listeners.items() if said.port}

    def as_dict(self) -> dict[str, Any]:
        """For the run folder and the console."""
        return {name: said.as_dict() for name, said in self.listeners.items()}
