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

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

from rules.engine import cache
from rules.engine.fold import fold_all
from rules.engine.routes import Route, Table, Wanted

FOLDER = Path(__file__).parents[1] / "logsources"
OWN = "hinomi"
ANY_DATASET = "*"

_FORMAT = b"1"
"""Raised when what is kept of tables, or what their files mean, changes."""
_NOWHERE = cache.Cache(None)

_MOST_NEAR = 6


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

    def near(self, logsource: Mapping[str, str]) -> list[str]:
        """What may have been meant by a log source that nothing carries: names spelled alike, or all that a product has where
        neither a category nor a service is given. `key: name`, six at most."""
        product = logsource.get("product")
        if product and product not in self._by_product:
            return _alike("product", product, self._by_product)
        tables = self._by_product.get(product, []) if product else self.tables
        kinds = {
            "service": {name for table in tables for name in table.services},
            "category": {name for table in tables for name in table.categories},
        }
        given = [kind for kind in kinds if logsource.get(kind)]
        if not given:
            return [f"{kind}: {name}" for kind, names in kinds.items() for name in sorted(names)][:_MOST_NEAR]
        return [one for kind in given for one in _alike(kind, logsource[kind], kinds[kind])]

    def keywords(self, dataset: str) -> tuple[str, ...]:
        """How the columns of a dataset begin that a keyword searches; empty for every text."""
        found = (table for table in self.tables if any(route.dataset == dataset for route in table.all))
        return next((table.keywords for table in found if table.keywords), ())

    @cached_property
    def key(self) -> str:
        """What stands for everything that the tables say."""
        return cache.key(repr(self.tables).encode())

    @cached_property
    def _by_product(self) -> dict[str, list[Table]]:
        found: dict[str, list[Table]] = {}
        for table in self.tables:
            found.setdefault(table.product, []).append(table)
        return found


def _alike(kind: str, name: str, known: Iterable[str]) -> list[str]:
    names = set(known)
    if name in names:
        return []
    return [f"{kind}: {one}" for one in difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.7)]


def read(folder: Path = FOLDER, store: cache.Cache = _NOWHERE) -> Tables:
    """Every table of a folder; store: keeps what the files said, which takes long to read. Raises ContentError naming file,
    line and key."""
    paths = tuple(sorted(folder.glob("*.yml")))
    said = (part for path in paths for part in (path.name.encode(), path.read_bytes()))
    name = f"tables-{cache.key(_FORMAT, *said)}"
    kept = store.read(name)
    if kept is not None:
        return Tables(tuple(_from_json(*one) for one in orjson.loads(kept)))
    tables = _parsed(name, paths)
    if store.folder is not None:
        store.write(name, orjson.dumps(list(map(_as_json, tables.tables))))
    return tables


@lru_cache(maxsize=2)
def _parsed(name: str, paths: tuple[Path, ...]) -> Tables:
    """The tables of these files, whose content `name` tells: a process that loads rules again and again (the console tries
    each draft) reads the YAML once."""
    from rules.engine import table_files  # not above: a start from the cache does without

    return Tables(table_files.read(paths))


def _as_json(table: Table) -> list[Any]:
    categories, services = (
        {name: _plain(routes) for name, routes in group.items()}
        for group in (table.categories, table.services)
    )
    return [table.product, categories, services, _plain(table.all), table.keywords]


def _from_json(product: str, categories: Any, services: Any, every: Any, keywords: Any) -> Table:
    return Table(product, _groups(categories), _groups(services), _routes(every), tuple(keywords))


def _groups(said: Any) -> dict[str, tuple[Route, ...]]:
    return {name: _routes(routes) for name, routes in said.items()}


def _plain(routes: Iterable[Route]) -> list[Any]:
    return [[one.dataset, one.where, one.fields, one.otherwise, one.values] for one in routes]


def _routes(said: Any) -> tuple[Route, ...]:
    return tuple(
        Route(dataset, tuple((column, tuple(values)) for column, values in where), *rest)
        for dataset, where, *rest in said
    )


def _own(category: str | None, service: str | None) -> list[Route]:
    where: Wanted = (("event.category", tuple(fold_all([category]))),) if category else ()
    return [Route(service or ANY_DATASET, where, {}, "{field}")]
