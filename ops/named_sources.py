"""Sources that a configuration names. A name that nobody has would leave every line of its listener among the dead letters."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import collectors.sources
from collectors.settings import AUTO, sources_named
from hinomi import yamlfile
from hinomi.errors import HinomiError
from ops.settings import Settings


def unknown(settings: Settings) -> Iterator[tuple[str, str, list[str]]]:
    """(key, name, names like it) of each that is no source. Nothing where a mapping of the city's own cannot be read: what it
    would be called is not known, and its mistake is told when it is taken in."""
    known = set(_shipped())
    for folder in settings.sources.folders:
        for path in sorted(folder.glob("*.source.yml")):
            try:
                said = yamlfile.read(path).value
            except HinomiError:
                return
            if not isinstance(said, dict):
                return
            known.add(str(said.get("source")))
    for key, name in _named(settings):
        if name != AUTO and name not in known:
            yield key, name, difflib.get_close_matches(name, sorted(known), n=3)


def _shipped() -> Iterator[str]:
    """By their files, which are named after them: to load two hundred sources takes a second."""
    for path in Path(collectors.sources.__path__[0]).iterdir():
        stem, _, kind = path.name.partition(".")
        if kind in ("py", "source.yml"):
            yield stem.replace("_", ".", 1)


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    for part, entries in (("listen", settings.listen), ("pull", settings.pull)):
        for name, one in entries.items():
            if source := getattr(one, "source", ""):
                yield from _each(f"{part}.{name}.source", source)
            for key, sender in getattr(one, "senders", {}).items():
                yield from _each(f"{part}.{name}.senders.{key}.source", sender.source)


def _each(key: str, source: str) -> Iterator[tuple[str, str]]:
    return ((key, name) for name in sources_named(source))
