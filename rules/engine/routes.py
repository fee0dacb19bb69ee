"""Routes of a log-source table: where rows of a Sigma log source are, and what its fields are called there.

`rules.engine.logsource` says what stands in the tables and finds the routes of a rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hinomi import ecs

Wanted = tuple[tuple[str, tuple[str, ...]], ...]
"""Columns, and of each the texts of which its rows hold one (case ignored)."""

Values = Mapping[str, Mapping[str, str]]
"""By field: what our source writes (right) where a rule writes something else (left, case folded)."""


_OWN_ROOTS = ("winlog.", "hinomi.", "fortinet.", "cisco.", "azure.", "o365.", "city.", "squid.", "isc.")


@dataclass(frozen=True, slots=True)
class Route:
    """Rows of one dataset (`*`: any) and the names of Sigma's fields there."""

    dataset: str
    where: Wanted
    fields: Mapping[str, str]
    otherwise: str
    values: Values = field(default_factory=dict)

    def column(self, name: str) -> str:
        """The column of a Sigma field."""
        if name in self.fields:
            return self.fields[name]
        if name.startswith(_OWN_ROOTS) or name.endswith(".zone") or ecs.column_type(name) is not None:
            return name
        return self.otherwise.format(field=name, dataset=self.dataset)

    def value(self, name: str, folded: str) -> str:
        """What our source writes (case folded) for a value of a Sigma field."""
        return self.values.get(name, {}).get(folded, folded)

    def within(self, other: "Route") -> "Route | None":
        """What lies in both routes; None where nothing can."""
        if self.dataset != other.dataset:
            return None
        wanted = dict(self.where)
        for column, values in other.where:
            held = wanted.get(column)
            wanted[column] = values if held is None else tuple(value for value in held if value in values)
            if not wanted[column]:
                return None
        return Route(
            self.dataset,
            tuple(sorted(wanted.items())),
            {**other.fields, **self.fields},
            self.otherwise,
            {**other.values, **self.values},
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One product's table."""

    product: str
    categories: Mapping[str, tuple[Route, ...]]
    services: Mapping[str, tuple[Route, ...]]
    all: tuple[Route, ...]
    keywords: tuple[str, ...] = ()

    def routes(self, category: str | None, service: str | None) -> Iterator[Route]:
        """The routes of a category, a service, both, or of the whole product."""
        if category is None and service is None:
            yield from self.all
        elif service is None:
            yield from self.categories.get(category or "", ())
        elif category is None:
            yield from self.services.get(service, ())
        else:
            for one in self.categories.get(category, ()):
                for other in self.services.get(service, ()):
                    if (both := one.within(other)) is not None:
                        yield both
