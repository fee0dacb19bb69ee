"""What the console asks of the responders: it records decisions; another process acts on them.

The responders' service fulfils `Desk`; written down here so that one screen shows everything that a page
can cause.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hinomi.incident import Verdict


class AuditLog(Protocol):
    """The append-only, hash-chained log."""

    def append(self, *, actor: str, action: str, target: str, details: Mapping[str, Any]) -> object:
        """Write one entry durably."""
        ...


class AckLinks(Protocol):
    """The links of notifications: who was sent one, for which incident."""

    def read(self, token: str) -> tuple[str, str]:
        """(incident id, person). Raises Refused for a token that is wrong or too old."""
        ...


class Desk(Protocol):
    """Decisions of people. Each is audited before it takes effect; Refused and Conflict say why not."""

    @property
    def audit(self) -> AuditLog:
        """Where looks and sign-ins are written, too."""
        ...

    @property
    def links(self) -> AckLinks:
        """Reads the links of notifications."""
        ...

    def acknowledge(self, incident_id: str, *, actor: str) -> object:
        """The person takes the incident; escalation stops."""
        ...

    def assign(self, incident_id: str, assignee: str, *, actor: str) -> object:
        """Give the incident to a person."""
        ...

    def comment(self, incident_id: str, text: str, *, actor: str) -> object:
        """Add a note to the timeline."""
        ...

    def close(self, incident_id: str, verdict: Verdict, reason: str, *, actor: str) -> object:
        """Close with a verdict and its reason."""
        ...

    def approve(self, approval_id: str, *, actor: str, roles: Sequence[str], note: str) -> object:
        """Approve a step. Raises Refused for the wrong role or the same person twice."""
        ...

    def deny(self, approval_id: str, *, actor: str, roles: Sequence[str], note: str) -> object:
        """Deny a step."""
        ...
