"""Events whole, as dicts: those of which the files and the rows in them are known, and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hinomi import ecs
from hinomi.store.embedded.duck import Duck
from hinomi.store.embedded.plan import PLACE, ROW, SOURCE, TIME, Plan


class Hit(NamedTuple):
    """An event that was found: its time (ns since 1970), its id, the path of its file and its row there, from 0."""

    time: int
    id: str
    path: str
    row: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Nulls are left out; times are zoned; several values of a vendor's field are a list."""

    duck: Duck

    def fetched(self, hits: Sequence[Hit], order: str) -> list[dict[str, Any]]:
        """The events of the hits, in the order of an SQL clause. Raises StoreError. Known by their rows, the rows between
        them are passed over, some 2,000 at a time; known by time and id, every column between the first and the last was read."""
        if not hits:
            return []
        paths, numbers = [hit.path for hit in hits], [hit.row for hit in hits]
        values = [sorted(set(paths)), numbers, paths, numbers]
        found = self._dicts(
            f"select * exclude ({PLACE}) from {SOURCE}"
            f" where {ROW} in (select unnest(?)) and ({PLACE}) in (select unnest(?), unnest(?)) {order}",
            values,
        )
        if len(found) != len(hits):
            raise self.duck.blamed("rows that were there are not", values)
        return found

    def matching(self, plan: Plan, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The events of a plan that have these ids, the oldest first."""
        return self._dicts(
            f'select * exclude ({PLACE}) from {plan.source} where {plan.where} and "event.id" in (select unnest(?))'
            f' order by {TIME}, "event.id"',
            [*plan.values, list(ids)],
        )

    def _dicts(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        return list(ecs.rows(self.duck.frame(sql, values)))
