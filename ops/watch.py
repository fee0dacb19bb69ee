"""Rules, and lists for enrichment, that reload: replaced between blocks when one of their files changes."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from collectors.enrich import Enricher, EnrichSettings
from hinomi.errors import ConfigError
from ops.journal import log
from rules import engine
from rules.in_force import InForce


@dataclass(slots=True)
class LiveRules:
    """The rule set in force. Call it to get the set; every `every` seconds it looks for changed files.

    A set that cannot be loaded leaves the old one in force, and says so. So does it of files in the cache that had
    to be made again.
    """

    source: InForce
    cache: Path
    every: float = 1.0
    _set: engine.RuleSet | None = None
    _files: dict[str, int] = field(default_factory=dict)
    _looked: float = 0.0
    _rebuilt: dict[tuple[str, str], int] = field(default_factory=dict)

    def __call__(self) -> engine.RuleSet:
        """The compiled rules of now."""
        now = time.monotonic()
        if self._set is None or now - self._looked > self.every:
            self._looked = now
            files = self.source.changed()
            if self._set is None or files != self._files:
                self._load(files)
            self._tell_rebuilt()
        assert self._set is not None
        return self._set

    def _load(self, files: dict[str, int]) -> None:
        start = time.perf_counter()
        try:
            loaded = self.source.load(self.cache)
        except Exception as error:  # whatever the files hold
            if self._set is None:
                raise
            log.error("rules_not_reloaded", reason=str(error))
            return
        self._set, self._files, self._rebuilt = loaded, files, {}
        log.info(
            "rules_loaded",
            rules=len(loaded.rules),
            problems=len(loaded.problems),
            seconds=round(time.perf_counter() - start, 2),
        )
        for problem in loaded.problems:
            log.error("rule_not_loaded", reason=str(problem))

    def _tell_rebuilt(self) -> None:
        rebuilt = dict(self._set.rebuilt) if self._set is not None else {}
        for (kind, reason), files in rebuilt.items():
            if files != self._rebuilt.get((kind, reason)):
                log.warning("rule_cache_rebuilt", kind=kind, reason=reason, files=files)
        self._rebuilt = rebuilt


@dataclass(slots=True)
class LiveEnricher:
    """The enrichment in force; every `every` seconds it looks for changed files.

    A file that cannot be read is left out at the start, and later leaves all as it was; both are said.
    """

    settings: EnrichSettings
    every: float = 2.0
    _enricher: Enricher | None = None
    _files: dict[Path, int] = field(default_factory=dict)
    _looked: float = 0.0

    def enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """See `Enricher.enrich`."""
        now = time.monotonic()
        if self._enricher is None or now - self._looked > self.every:
            self._looked = now
            files = self._changes()
            if self._enricher is None or files != self._files:
                self._enricher, self._files = self._load(self._enricher), files
        return self._enricher.enrich(frame)

    def _changes(self) -> dict[Path, int]:
        one = self.settings
        paths = [path for path in (one.staff, one.assets, one.geo_override, one.mmdb) if path is not None]
        return {path: path.stat().st_mtime_ns if path.exists() else 0 for path in paths}

    def _load(self, old: Enricher | None) -> Enricher:
        problems: list[ConfigError] = []
        loaded = Enricher.of(self.settings, problems)
        for problem in problems:
            log.error("list_not_loaded" if old is None else "list_not_reloaded", reason=str(problem))
        return old if old is not None and problems else loaded
