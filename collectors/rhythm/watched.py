"""One origin or sender under watch: what is usual of it, what is wrong with it now. Kept as records, one an origin."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from collectors.rhythm.finding import Finding, Kind
from collectors.rhythm.usual import Usual
from hinomi.store import Records
from hinomi.words import Words

KIND = "rhythm"
_LEARNED = 3 * 100  # slots of ten minutes; the tower itself may have been away now and then


@dataclass(frozen=True, slots=True)
class Standing:
    """What is wrong and was told. alert: by which alert; slot: the last one that showed it."""

    kind: Kind
    since: float
    alert: str
    ja: str
    en: str
    slot: int = 0

    @property
    def said(self) -> Words:
        """Why, in words."""
        return Words(self.ja, self.en)

    @classmethod
    def of(cls, finding: Finding, alert: str, slot: int) -> Self:
        """A finding that was told."""
        return cls(finding.kind, finding.since, alert, finding.said.ja, finding.said.en, slot)


@dataclass(slots=True)
class Watched:
    """An origin, or one of its senders."""

    usual: Usual
    standing: dict[Kind, Standing] = field(default_factory=dict)

    @property
    def habits(self) -> bool:
        """Whether three days or more were learned of it."""
        return self.usual.slots >= _LEARNED

    def body(self) -> dict[str, Any]:
        """As JSON; see `read`."""
        return {"usual": self.usual.body(), "standing": [asdict(one) for one in self.standing.values()]}

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """See `body`."""
        told = [Standing(**{**one, "kind": Kind(one["kind"])}) for one in body["standing"]]
        return cls(Usual.read(body["usual"]), {one.kind: one for one in told})


Key = tuple[str, str]
"""Origin and sender; an empty sender is the origin as a whole."""


def read(records: Records) -> dict[Key, Watched]:
    """Everything under watch."""
    found = (Watched.read(one) for record in records.find(KIND, limit=10_000) for one in record.body["units"])
    return {(one.usual.origin, one.usual.sender): one for one in found}


def save(records: Records, origin: str, units: list[Watched]) -> None:
    """Keep an origin with its senders."""
    told = {one.kind.value for unit in units for one in unit.standing.values()}
    records.put(
        KIND,
        origin,
        {"origin": origin, "wrong": sorted(told), "units": [unit.body() for unit in units]},
    )
