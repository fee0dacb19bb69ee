"""Which of our datasets a Sigma log source means, and what its fields are called there.

The tables are `rules/logsources/<product>.yml`, one a product:

    product: squid
    datasets: [squid.access]             # every route of the table, unless the route names its own
    otherwise: squid.access.{field}      # a field that no table maps and ECS does not know
    fields: {c-uri: url.original}
    categories: {proxy: [{where: {event.category: [web]}, fields: {…}, dataset: …, otherwise: …}]}
    services: {access: [{}]}
    nothing_yet: {services: [icap]}      # known, and no source of ours carries it

A route takes the rows whose columns hold any of the listed values (case ignored). A rule that names both
category and service takes what lies in both. `product: hinomi` is our own: `service` is a dataset,
`category` a value of `event.category` in any dataset, and fields are column names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hinomi import ecs, yamlfile
from hinomi.errors import ContentError, Where
from rules.engine.fold import fold_all

FOLDER = Path(__file__).parents[1] / "logsources"
OWN = "hinomi"
ANY_DATASET = "*"

Wanted = tuple[tuple[str, tuple[str, ...]], ...]

_KEYS = {"product", "datasets", "otherwise", "fields", "categories", "services", "nothing_yet"}
_ROUTE_KEYS = {"where", "fields", "dataset", "otherwise"}


@dataclass(frozen=True, slots=True)
class Route:
    """Rows of one dataset (`*`: any) and the names of Sigma's fields there."""

    dataset: str
    where: Wanted
    fields: Mapping[str, str]
    otherwise: str

    def column(self, field: str) -> str:
        """The column of a Sigma field."""
        if field in self.fields:
            return self.fields[field]
        if field.startswith(_OWN_ROOTS) or field.endswith(".zone") or ecs.column_type(field) is not None:
            return field
        return self.otherwise.format(field=field, dataset=self.dataset)

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
            self.dataset, tuple(sorted(wanted.items())), {**other.fields, **self.fields}, self.otherwise
        )


_OWN_ROOTS = ("winlog.", "hinomi.", "fortinet.", "cisco.", "azure.", "o365.", "city.", "squid.", "isc.")


@dataclass(frozen=True, slots=True)
class Table:
    """One product's table."""

    product: str
    categories: Mapping[str, tuple[Route, ...]]
    services: Mapping[str, tuple[Route, ...]]
    all: tuple[Route, ...]

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


@dataclass(frozen=True)
class Tables:
    """Every product's table."""

    tables: tuple[Table, ...]
    texts: tuple[bytes, ...] = ()

    def routes(self, logsource: Mapping[str, str]) -> list[Route]:
        """Where the events of a Sigma log source are; empty where no source of ours carries them."""
        product = logsource.get("product")
        category, service = logsource.get("category"), logsource.get("service")
        if product == OWN:
            return _own(category, service)
        tables = self._by_product.get(product, []) if product else self.tables
        found = [route for table in tables for route in table.routes(category, service)]
        return list({(route.dataset, route.where): route for route in found}.values())

    @cached_property
    def _by_product(self) -> dict[str, list[Table]]:
        found: dict[str, list[Table]] = {}
        for table in self.tables:
            found.setdefault(table.product, []).append(table)
        return found


def read(folder: Path = FOLDER) -> Tables:
    """Every table of a folder. Raises ContentError naming file, line and key."""
    paths = sorted(folder.glob("*.yml"))
    return Tables(tuple(_table(path) for path in paths), tuple(path.read_bytes() for path in paths))


def _own(category: str | None, service: str | None) -> list[Route]:
    where: Wanted = (("event.category", tuple(fold_all([category]))),) if category else ()
    return [Route(service or ANY_DATASET, where, {}, "{field}")]


def _table(path: Path) -> Table:
    document = yamlfile.read(path)
    table, places = document.value, document.places
    _known(table, _KEYS, places, "")
    common = [
        Route(dataset, (), table.get("fields") or {}, table["otherwise"]) for dataset in table["datasets"]
    ]
    groups = {
        kind: {
            str(name): tuple(_routes(entries, common, places, f"{kind}.{name}"))
            for name, entries in (table.get(kind) or {}).items()
        }
        for kind in ("categories", "services")
    }
    return Table(table["product"], groups["categories"], groups["services"], tuple(common))


def _routes(entries: Any, common: list[Route], places: yamlfile.Places, key: str) -> Iterator[Route]:
    for index, entry in enumerate(entries):
        _known(entry, _ROUTE_KEYS, places, f"{key}.{index}")
        where = tuple(
            sorted(
                (column, tuple(fold_all([str(value) for value in values])))
                for column, values in (entry.get("where") or {}).items()
            )
        )
        for base in common:
            if entry.get("dataset", base.dataset) == base.dataset:
                fields = {**base.fields, **(entry.get("fields") or {})}
                yield Route(base.dataset, where, fields, entry.get("otherwise", base.otherwise))


def _known(value: Any, keys: set[str], places: yamlfile.Places, path: str) -> None:
    unknown = sorted(set(value) - keys) if isinstance(value, dict) else ["?"]
    if unknown:
        key = f"{path}.{unknown[0]}" if path else unknown[0]
        place = places.where(key)
        raise ContentError(
            f"キー「{unknown[0]}」はありません。使えるのは {'、'.join(sorted(keys))} です。",
            f'no key "{unknown[0]}": use {", ".join(sorted(keys))}',
            where=Where(places.file, place.line, key),
        )
