"""Rule files to a rule set, with what was learnt kept from one start to the next.

Two layers in the cache folder: each file's parse by the hash of its content (one changed rule parses one
file), and the whole compiled set by the hash of everything that went in. The last sets made of the same folders
are remembered too: what did not change since is taken over (`rules.engine.known`). All are JSON; nothing is
unpickled. The Hyperscan databases beside them are keyed by their patterns.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import FileIO
from pathlib import Path
from typing import Any

import orjson
import sigma

from hinomi import clock
from hinomi.collecting import give_back, no_collection
from hinomi.errors import ContentError, Where
from rules import folders
from rules.choice import EVERYTHING, Choice
from rules.engine import logsource
from rules.engine.cache import Cache
from rules.engine.cache import key as name_of
from rules.engine.compile import compile_files
from rules.engine.known import Known, settle, worn
from rules.engine.parsed import FORMAT, File
from rules.engine.pipelines import Given, Pipelines, read
from rules.engine.program import Compiled
from rules.engine.ruleset import RuleSet
from rules.engine.scans import Scans

Progress = Callable[[int, int], None]

_LAST = 3
"""Compiled sets of the same folders that are kept: each has some megabytes."""
_MANY = 500
"""Rules from which it is worth looking through the whole process for memory to give back: of a single draft it is not."""
_PARSED = 10_000
"""Parsed files that are kept at most, those of now aside."""
_VERSION = f"{FORMAT} {getattr(sigma, '__version__', '')}".encode()


def load(
    paths: Sequence[Path],
    *,
    cache: Path | None = None,
    pipelines: Sequence[Given] = (),
    placeholders: Mapping[str, Sequence[str]] | None = None,
    on_progress: Progress | None = None,
    tables: logsource.Tables | None = None,
    choice: Choice = EVERYTHING,
    today: date | None = None,
) -> RuleSet:
    """Every rule of files and folders (`*.yml` at any depth, but not `*.test.yml`), compiled.

    cache: folder for what saves time at the next start; pipelines: pySigma processing pipelines, applied
    in order of their priority, given ready, as YAML files or by name (ready ones are not cached);
    placeholders: values for `|expand`; on_progress: called with (done, of); choice: what is switched off;
    today: the day by which exceptions and switches end (default: today). What is wrong with a rule is in `RuleSet.problems`, never raised.
    Raises ContentError where a path, pipeline or log-source table cannot be read.
    """
    chosen = _Chosen(choice, today or clock.today())
    store = Cache(cache)
    known = tables or logsource.read(store=store)
    return _Loading(store, read(pipelines), placeholders or {}, known, on_progress, chosen).load(paths)


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The rule files of files and folders, each once, in order of name."""
    return list(map(Path, _names(paths)))


def _names(paths: Iterable[Path]) -> list[str]:
    """The same as texts (see `rules.folders`)."""
    found: dict[str, None] = {}
    for path in paths:
        if not path.exists():
            raise ContentError(
                "ルールのファイルまたはフォルダがありません。",
                "no such rule file or folder",
                where=Where(path),
            )
        inner = _below(str(path)) if path.is_dir() else [str(path)]
        found.update(dict.fromkeys(name for name in inner if not name.endswith(folders.TESTS)))
    return list(found)


def _below(folder: str) -> list[str]:
    return sorted((one.path.removeprefix("./") for one in folders.entries(folder)), key=_parts)


def _parts(name: str) -> list[str]:
    return name.split("/")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is switched off, and the day that it is."""

    choice: Choice
    today: date

    def key(self, contents: Iterable[bytes]) -> bytes:
        """What the compiled set depends on: the day only where something may end."""
        ends = any(b"expires" in content for content in contents)
        return self.choice.key(self.today) + (self.today.isoformat().encode() if ends else b"")


class _Loading:
    def __init__(
        self,
        store: Cache,
        pipelines: Pipelines,
        placeholders: Mapping[str, Sequence[str]],
        tables: logsource.Tables,
        on_progress: Progress | None,
        chosen: _Chosen,
    ) -> None:
        self.store = store
        self.parses = Cache(None if pipelines.key is None else store.folder, store.distrusted)
        self.pipelines = pipelines.ready
        self.base = name_of(_VERSION, pipelines.key or b"")
        self.chosen = chosen
        self.placeholders = placeholders
        self.tables = tables
        self.on_progress = on_progress
        self.all_anew = False

    def load(self, paths: Sequence[Path]) -> RuleSet:
        with no_collection():
            loaded = self._load(paths)
        if self.all_anew and len(loaded.rules) >= _MANY:
            give_back()  # parsing and compiling the public collection took some 150 MB
        return loaded

    def _load(self, paths: Sequence[Path]) -> RuleSet:
        files = _names(paths)
        contents = list(map(_content, files))
        meant = [self.base.encode(), self._given(), self.tables.key.encode()]
        key = name_of(*meant, self.chosen.key(contents), *map(os.fsencode, files), *contents)
        name, last = f"rules-{key}", f"last-{name_of(*meant, *map(os.fsencode, paths))}"
        made = self._read(name)
        if made is not None:
            scans = Scans(made, self.store)
        else:
            with self.store.alone():
                scans = Scans(self._read(name) or self._make(files, contents, name, last), self.store)
                if self.store.folder is not None:
                    scans.prepare()
        return RuleSet(scans.compiled, scans, self.tables, self.placeholders)

    def _make(self, files: list[str], contents: list[bytes], name: str, last: str) -> Compiled:
        """The set compiled, with the help of the last that was made of these folders, and kept."""
        parsed = self._parse(files, contents)
        before = orjson.loads(self.parses.read(last) or b"[]")
        earlier = next(filter(None, map(self._read, before)), None)
        self.all_anew = earlier is None
        made = self._compile(parsed, None if earlier is None else Known(earlier))
        if self.parses.folder is not None:
            self.parses.write(name, made.as_bytes())
            self.parses.write(last, orjson.dumps([name, *before][:_LAST]))
            for old in before[_LAST - 1 :]:
                self.parses.remove(old)
        self.store.prune()
        return made

    def _compile(self, parsed: Sequence[tuple[str, File]], known: Known | None) -> Compiled:
        today = self.chosen.today
        made = compile_files(parsed, self.tables, self.placeholders, self.chosen.choice, today, known)
        if known is not None and worn(made):
            return self._compile(parsed, None)
        settle(made)
        return made

    def _given(self) -> bytes:
        return orjson.dumps({k: list(v) for k, v in self.placeholders.items()}, option=orjson.OPT_SORT_KEYS)

    def _read(self, name: str) -> Compiled | None:
        kept = self.parses.read(name)
        return None if kept is None else Compiled.from_bytes(kept)

    def _parse(self, files: list[str], contents: list[bytes]) -> list[tuple[str, File]]:
        """Each file, from what earlier starts parsed where its content is the same."""
        kept = self.parses.read(f"parsed-{self.base}")
        known: dict[str, Any] = orjson.loads(kept) if kept is not None else {}
        from rules.engine import parse  # not above: a start from the cache needs no pySigma

        parsed: list[tuple[str, File]] = []
        now: dict[str, Any] = {}
        for done, (name, content) in enumerate(zip(files, contents, strict=True)):
            key = name_of(content)
            file = File(**known[key]) if key in known else parse.read(Path(name), self.pipelines)
            now[key] = file.as_json()
            parsed.append((name, file))
            if self.on_progress:
                self.on_progress(done + 1, len(files))
        if self.parses.folder is not None and now.keys() - known.keys():
            both = known | now if len(known) < _PARSED else now
            self.parses.write(f"parsed-{self.base}", orjson.dumps(both))
        return parsed


def _content(name: str) -> bytes:
    try:
        with FileIO(name) as file:
            return file.readall()
    except OSError:
        return b""  # parse.read says why, with the file's name
