"""The files of log-source tables (`rules.engine.logsource` says what stands in them)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi import yamlfile
from hinomi.errors import ContentError, Where
from rules.engine.fold import fold_all
from rules.engine.routes import Route, Table, Values, Wanted

_KEYS = {"product", "datasets", "otherwise", "fields", "categories", "services", "nothing_yet", "keywords"}
_ROUTE_KEYS = {"where", "taxonomy", "fields", "values", "dataset", "otherwise"}
_TAXONOMY = "_taxonomy.yml"


def read(paths: Iterable[Path]) -> tuple[Table, ...]:
    """The tables of these files. Raises ContentError naming file, line and key."""
    files = {path.name: path for path in paths}
    shared = files.pop(_TAXONOMY, None)
    taxonomy = yamlfile.read(shared).value if shared else {}
    return tuple(_table(path, taxonomy) for path in files.values())


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
