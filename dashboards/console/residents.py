"""Raw data about residents: a reason is asked for, recorded, and then counts for a while.

Which datasets hold such data is the city's to say (`console.residents`). A grant belongs to one person and one
scope (an incident, or the search), and is written to the audit log before anything is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from starlette.responses import Response

from hinomi.clock import Clock
from hinomi.errors import InputError, Refused
from hinomi.identity import digest
from hinomi.store import Records

if TYPE_CHECKING:
    from dashboards.console.visit import Visit

KIND = "reveal"
SEARCH = "search"
_SHORTEST, _LONGEST = 5, 500


class ReasonNeeded(Refused):
    """Shown again once a reason is recorded."""


@dataclass(frozen=True, slots=True)
class Residents:
    """Who may see raw lines about residents just now."""

    records: Records
    clock: Clock
    datasets: frozenset[str]
    lasts: timedelta

    def guards(self, dataset: str) -> bool:
        """Whether raw lines of the dataset need a reason."""
        return dataset in self.datasets

    def until(self, actor: str, scope: str) -> datetime | None:
        """Until when the person may look within the scope; None where no reason counts."""
        held = self.records.get(KIND, digest(actor, scope))
        until = datetime.fromisoformat(str(held.body["until"])) if held else None
        return until if until is not None and until > self.clock.now() else None

    def ask(self, visit: "Visit", scope: str, datasets: Iterable[str]) -> None:
        """Raises ReasonNeeded where one of the datasets needs a reason and none is recorded."""
        if any(map(self.guards, datasets)) and self.until(visit.actor, scope) is None:
            raise ReasonNeeded(
                "住民に関するログが含まれています。画面で理由を記録してから、もう一度操作してください。",
                "this holds logs about residents: record a reason on the page first",
            )

    def grant(self, actor: str, scope: str, reason: str) -> datetime:
        """Note the reason; returns until when it counts."""
        until = self.clock.now() + self.lasts
        body = {"actor": actor, "scope": scope, "reason": reason, "until": until.isoformat()}
        self.records.put(KIND, digest(actor, scope), body)
        return until


def reveal(visit: "Visit") -> Response:
    """Record the reason that the form gives, then show the page again."""
    granted(visit, visit.form.get("scope", ""), visit.form.get("reason", "").strip())
    return visit.back_to(visit.form.get("back", "/"), "revealed")


def granted(visit: "Visit", scope: str, reason: str) -> datetime:
    """Write the reason to the audit log, then note it; returns until when it counts. Raises InputError."""
    if not scope.startswith(("incident:", SEARCH)) or len(scope) > 40:
        raise InputError("対象が分かりません。", "what is to be shown is not known")
    if not _SHORTEST <= len(reason) <= _LONGEST:
        raise InputError(
            f"理由を {_SHORTEST}〜{_LONGEST} 字で入力してください。",
            f"give a reason of {_SHORTEST} to {_LONGEST} characters",
        )
    visit.console.audit.append(
        actor=visit.actor, action="console.reveal", target=scope, details={"reason": reason}
    )
    return visit.console.residents.grant(visit.actor, scope, reason)
