"""What the listeners say of themselves while they run."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


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

    def took(self, messages: int, size: int) -> None:
        """Count spooled messages."""
        self.received += messages
        self.bytes += size
        self.last_received = datetime.now(UTC)

    def as_dict(self) -> dict[str, Any]:
        """For the run folder and the console."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {**said, "kind": str(self.kind), "errors": dict(self.errors)}


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
