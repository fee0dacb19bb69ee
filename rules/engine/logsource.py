"""Which of our datasets a Sigma log source means, and what its fields are called there.

The tables are `rules/logsources/<product>.yml`, one a product:

    product: squid
    datasets: [squid.access]             # every route of the table, unless the route names its own
    otherwise: squid.access.{field}      # a field that no table maps and ECS does not know
    fields: {c-uri: url.original}
    categories: {proxy: [{where: {event.category: [web]}, taxonomy: proxy, fields: {…}, values: {…}, dataset: …, otherwise: …}]}
    services: {access: [{}]}
    nothing_yet: {services: [icap]}      # known, and no source of ours carries it
    keywords: [event.original, winlog.]  # how the columns begin that a keyword searches (else every text)

`taxonomy` names a set of fields in `_taxonomy.yml`; `values` says what our source writes where a rule writes
something else (`{Initiated: {'true': egress}}`). A field may be read out of a list of objects (`user.list[].key`),
or be the first of several columns that has a value (`a.b|c`): see `rules.engine.derived`.

A route takes the rows whose columns hold any of the listed values (case ignored). A rule that names both
category and service takes what lies in both. `product: hinomi` is our own: `service` is a dataset,
`category` a value of `event.category` in any dataset, and fields are column names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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

_KEYS = {"product", "datasets", "otherwise", "fields", "categories", "services", "nothing_yet", "keywords"}
_ROUTE_KEYS = {"where", "taxonomy", "fields", "values", "dataset", "otherwise"}
_TAXONOMY = "_taxonomy.yml"

Values = Mapping[str, Mapping[str, str]]
"""By field: what our source writes (right) where a rule writes something else (left, case folded)."""


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


_OWN_ROOTS = ("winlog.", "hinomi.", "fortinet.", "cisco.", "azure.", "o365.", "city.", "squid.", "isc.")


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


@dataclass(frozen=True)
class Tables:
    """Every product's table."""

    tables: tuple[Table, ...]

    def routes(self, logsource: Mapping[str, str]) -> list[Route]:
        """Where the events of a Sigma log source are; empty where no source of ours carries them."""
        product = logsource.get("product")
        category, service = logsource.get("category"), logsource.get("service")
        if product == OWN:
            return _own(category, service)
        tables = self._by_product.get(product, []) if product else self.tables
        found = [route for table in tables for route in table.routes(category, service)]
        return list({(route.dataset, route.where): route for route in found}.values())

    def keywords(self, dataset: str) -> tuple[str, ...]:
        """How the columns of a dataset begin that a keyword searches; empty for every text."""
        found = (table for table in self.tables if any(route.dataset == dataset for route in table.all))
        return next((table.keywords for table in found if table.keywords), ())

    @cached_property
    def _by_product(self) -> dict[str, list[Table]]:
        found: dict[str, list[Table]] = {}
        for table in self.tables:
            found.setdefault(table.product, []).append(table)
        return found


def read(folder: Path = FOLDER) -> Tables:
    """Every table of a folder. Raises ContentError naming file, line and key."""
    paths = sorted(path for path in folder.glob("*.yml") if path.name != _TAXONOMY)
    shared = folder / _TAXONOMY
    taxonomy = yamlfile.read(shared).value if shared.exists() else {}
    return Tables(tuple(_table(path, taxonomy) for path in paths))


def _own(category: str | None, service: str | None) -> list[Route]:
    where: Wanted = (("event.category", tuple(fold_all([category]))),) if category else ()
    return [Route(service or ANY_DATASET, where, {}, "{field}")]


def _table(path: Path, taxonomy: Mapping[str, Mapping[str, str]]) -> Table:
    document = yamlfile.read(path)
    table, places = document.value, document.places
    _known(table, _KEYS, places, "")
    common = [_base(table, dataset) for dataset in table["datasets"]]
    reader = _Routes(table, common, taxonomy, places)
    groups = {
        kind: {
            str(name): tuple(reader.routes(entries, f"{kind}.{name}"))
            for name, entries in (table.get(kind) or {}).items()
        }
        for kind in ("categories", "services")
    }
    content = tuple(map(str, table.get("keywords") or ()))
    return Table(table["product"], groups["categories"], groups["services"], tuple(common), content)


def _base(table: Mapping[str, Any], dataset: str, *, own: bool = True) -> Route:
    """A dataset as the table's head describes it; of one that the head does not list only `otherwise` holds."""
    return Route(dataset, (), (table.get("fields") or {}) if own else {}, table["otherwise"])


@dataclass(frozen=True, slots=True)
class _Routes:
    """The routes of one table's entries."""

    table: Mapping[str, Any]
    common: list[Route]
    taxonomy: Mapping[str, Mapping[str, str]]
    places: yamlfile.Places

    def routes(self, entries: Any, key: str) -> Iterator[Route]:
        for index, entry in enumerate(entries):
            path = f"{key}.{index}"
            _known(entry, _ROUTE_KEYS, self.places, path)
            shared = self._shared(entry, path)
            for base in self._bases(entry):
                yield Route(
                    base.dataset,
                    _where(entry),
                    {**base.fields, **shared, **(entry.get("fields") or {})},
                    entry.get("otherwise", base.otherwise),
                    _values(entry),
                )

    def _bases(self, entry: Mapping[str, Any]) -> list[Route]:
        if "dataset" not in entry:
            return self.common
        named = [base for base in self.common if base.dataset == entry["dataset"]]
        return named or [_base(self.table, entry["dataset"], own=False)]

    def _shared(self, entry: Mapping[str, Any], path: str) -> Mapping[str, str]:
        name = entry.get("taxonomy")
        if name is None or name in self.taxonomy:
            return self.taxonomy.get(name, {}) if name else {}
        place = self.places.where(f"{path}.taxonomy")
        raise ContentError(
            f"taxonomy「{name}」はありません。使えるのは {'、'.join(sorted(self.taxonomy))} です。",
            f'no taxonomy "{name}": use {", ".join(sorted(self.taxonomy))}',
            where=Where(self.places.file, place.line, f"{path}.taxonomy"),
        )


def _where(entry: Mapping[str, Any]) -> Wanted:
    wanted = entry.get("where") or {}
    return tuple(
        sorted((column, tuple(fold_all([str(value) for value in wanted[column]]))) for column in wanted)
    )


def _values(entry: Mapping[str, Any]) -> Values:
    return {
        name: dict(zip(fold_all(list(map(str, said))), fold_all(list(map(str, said.values()))), strict=True))
        for name, said in (entry.get("values") or {}).items()
    }


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
