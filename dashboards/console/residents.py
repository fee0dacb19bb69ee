"""Raw data about residents: a reason is asked for, recorded, and then counts for a while.

Which datasets hold such data is the city's to say (`console.residents`). A line of them that could not be read is a
dead letter and no less about residents. A grant belongs to one person and one scope (an incident, or the search), and
is written to the audit log before anything is shown.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from hinomi.batch import DEAD_LETTERS
from hinomi.clock import Clock
from hinomi.errors import InputError, Refused
from hinomi.identity import digest
from hinomi.query import beside, quoted
from hinomi.store import Records

if TYPE_CHECKING:
    from dashboards.console.visit import Visit

KIND = "reveal"
SEARCH = "search"
LETTER_OF = "hinomi.dead_letter.source"
"""The source that could not read a dead letter; empty where none was found for it."""
_ORIGIN = "hinomi.origin"
_HEARD = "source"  # records of what each origin sends: health, and formats once recognised
_MOST_ORIGINS = 10_000
_SHORTEST, _LONGEST = 5, 500


class ReasonNeeded(Refused):
    """Shown again once a reason is recorded."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What is not shown to somebody just now. datasets: whose rows are not; origins: those that send them, whose dead
    letters are not shown either: the source that a letter names is the first that could not read it. Both are empty where a
    reason counts."""

    datasets: frozenset[str]
    origins: frozenset[str]

    def hides(self, row: Mapping[str, Any]) -> bool:
        """Whether this event of the store is not shown."""
        dataset = str(row.get("event.dataset", ""))
        if dataset != DEAD_LETTERS:
            return dataset in self.datasets
        return row.get(LETTER_OF) in self.datasets or row.get(_ORIGIN) in self.origins

    def open(self, names: Iterable[str]) -> list[str]:
        """The datasets of which some rows at least are shown."""
        return [name for name in names if name not in self.datasets]

    @property
    def letters(self) -> str:
        """A query for the dead letters that are not shown; empty where all are."""
        terms = [f"{LETTER_OF}: {_any_of(self.datasets)}"] if self.datasets else []
        if self.origins:
            terms.append(f"{_ORIGIN}: {_any_of(self.origins)}")
        return f'(event.dataset: "{DEAD_LETTERS}" and ({" or ".join(terms)}))' if terms else ""

    def only(self, query: str) -> str:
        """The query without the dead letters that are not shown. Raises QueryError for what is no query."""
        return beside(query, f"not {self.letters}") if self.letters else query


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

    def seal(self, actor: str, scope: str) -> Seal:
        """What the person does not see within the scope."""
        return Seal(frozenset(), frozenset()) if self.until(actor, scope) else self.unreasoned()

    def unreasoned(self) -> Seal:
        """What nobody sees who has given no reason."""
        if not self.datasets:
            return Seal(frozenset(), frozenset())
        heard = self.records.find(_HEARD, {"source": sorted(self.datasets)}, limit=_MOST_ORIGINS)
        return Seal(self.datasets, frozenset(str(record.body["origin"]) for record in heard))

    def ask(self, visit: "Visit", scope: str, datasets: Iterable[str]) -> None:
        """Raises ReasonNeeded where one of the datasets needs a reason and none is recorded."""
        if any(map(self.guards, datasets)) and self.until(visit.actor, scope) is None:
            raise needed()

    def grant(self, actor: str, scope: str, reason: str) -> datetime:
        """Note the reason; returns until when it counts."""
        until = self.clock.now() + self.lasts
        body = {"actor": actor, "scope": scope, "reason": reason, "until": until.isoformat()}
        self.records.put(KIND, digest(actor, scope), body)
        return until


def needed() -> ReasonNeeded:
    """What is said to whoever asks without a reason."""
    return ReasonNeeded(
        "住民に関するログが含まれています。画面で理由を記録してから、もう一度操作してください。",
        "this holds logs about residents: record a reason on the page first",
    )


def _any_of(values: Collection[str]) -> str:
    return f"({' or '.join(map(quoted, sorted(values)))})"


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
