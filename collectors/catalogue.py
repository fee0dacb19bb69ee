"""Every source there is: a file in `collectors/sources/` is all the registration.

`<vendor>_<product>.py` holds `source = Source(...)`; `<name>.source.yml` is a declared mapping.
"""

import difflib
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import polars as pl

import collectors.sources
from collectors.carried import without_surroundings
from collectors.source import Source
from hinomi.errors import ContentError, HinomiError, Where

_FOLDER = Path(collectors.sources.__path__[0])
own: list[Path] = []
"""Folders of the city's own declared mappings that were taken in."""
_MIN_SHARE = 0.5
_HEAD = 65_536  # characters of a line that are looked at: what a product is known by stands before


@cache
def sources() -> dict[str, Source]:
    """Every source by its name, `generic.*` last."""
    found = [*_modules(), *_declared(_FOLDER)]
    return {source.name: source for source in sorted(found, key=lambda one: (is_generic(one.name), one.name))}


def _modules() -> list[Source]:
    modules = pkgutil.iter_modules(collectors.sources.__path__)
    loaded = [importlib.import_module(f"collectors.sources.{module.name}") for module in modules]
    return [module.source for module in loaded]


def _declared(folder: Path, problems: list[HinomiError] | None = None) -> list[Source]:
    from collectors import declared

    found = []
    for path in sorted(folder.glob("*.source.yml")):
        try:
            found.append(declared.load(path))
        except HinomiError as error:
            if problems is None:
                raise
            problems.append(error)
    return found


def add(folder: Path, problems: list[HinomiError] | None = None) -> list[Source]:
    """Take in a folder of the city's own declared mappings; returns what it held. A file that cannot be read is left
    out and its error added to `problems`; raised where none are taken."""
    if problems is not None and not folder.is_dir():
        problems.append(
            ContentError("フォルダがありません。", "there is no such folder", where=Where(folder))
        )
    found = _declared(folder, problems)
    sources().update({source.name: source for source in found})
    own.append(folder)
    return found


def add_new(folders: Iterable[Path]) -> None:
    """Take in those of the folders that are not yet (see `add`). Raises ContentError for what cannot be read in them."""
    for folder in folders:
        if folder not in own:
            add(folder)


def find(name: str) -> Source:
    """The source of a name. Raises ContentError that suggests the nearest names."""
    known = sources()
    if name in known:
        return known[name]
    near = ", ".join(difflib.get_close_matches(name, known, n=3))
    raise ContentError(
        f"ソース「{name}」はありません。"
        + (f"近い名前: {near}" if near else "一覧は hinomi sources list で見られます。"),
        f'there is no source "{name}"; '
        + (f"near names: {near}" if near else "hinomi sources list shows all"),
    )


def recognise(lines: list[str], *, again: bool = False) -> str | None:
    """The source that most of the lines look like; None when none fits at least half of them.

    A specific source wins over a generic one. Where two specific sources fit equally well it is None:
    a guess would be pinned, so a person must say which it is. again: the lines of this sender are asked for time and again,
    which is worth a second once (`looks_like`).
    """
    full = [line for line in lines if line.strip()]
    if not full:
        return None
    counts = Counter(name for names in looks_like(full) for name in names) if again else _counts(_bare(full))
    generic = {name: n / len(full) for name, n in counts.items() if is_generic(name)}
    specific = {name: n / len(full) for name, n in counts.items() if name not in generic}
    best = _best(specific)
    if best:
        return best[0] if len(best) == 1 else None
    return next(iter(sorted(_best(generic))), None)


def _counts(lines: pl.Series) -> dict[str, int]:
    return {name: source.recognised(lines) for name, source in sources().items()}


def is_generic(name: str) -> bool:
    """Whether a source reads a form that many products write, and so knows none of them."""
    return name.startswith("generic.")


def looks_like(lines: Sequence[str]) -> list[set[str]]:
    """Of each line the names of the sources that recognise it."""
    from collectors import recognition  # only where somebody's lines are mixed: see there

    return recognition.looks_like(list(sources().values()), _bare(lines))


def _bare(lines: Sequence[str]) -> pl.Series:
    """The beginnings of the lines as products wrote them."""
    kept = pl.DataFrame({"message": [line[:_HEAD] for line in lines]}, {"message": pl.String})
    return without_surroundings(kept)["message"].rename("line")


def _best(shares: Mapping[str, float]) -> list[str]:
    """The names with the highest share, if it is high enough."""
    most = max(shares.values(), default=0.0)
    return [name for name, share in shares.items() if share == most >= _MIN_SHARE]
