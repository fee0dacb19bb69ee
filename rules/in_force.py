"""The rules in force: which folders, read how, with what switched off. Whoever loads rules loads these.

Beside the configuration, a tower keeps in `<data>/rules`: `choice.yml` (what `hinomi rules disable` and `enable` decided),
`exceptions/` (Sigma filters), and `imported/<name>/live/` (what `hinomi rules import` put there).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi import clock
from hinomi.errors import ContentError, Where
from rules import folders
from rules.choice import Choice

if TYPE_CHECKING:
    from rules.engine import RuleSet
    from rules.selector import Selector
    from rules.settings import RulesSettings

KEPT = "rules"
CHOICE = "choice.yml"
QUARANTINE = "quarantine.yml"
EXCEPTIONS = "exceptions"
IMPORTED = "imported"
LIVE = "live"
BEFORE = "before"


@dataclass(frozen=True, slots=True)
class InForce:
    """Folders of rules and how they are read. choice_file: decisions kept beside the configuration's own; what else is kept
    there is in force, too, from the moment that it is there."""

    folders: Sequence[Path]
    pipelines: Sequence[str] = ()
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    disable: Sequence["Selector"] = ()
    enable: Sequence["Selector"] = ()
    choice_file: Path | None = None

    @classmethod
    def of(cls, settings: "RulesSettings", packs: Path, data: Path | None = None) -> "InForce":
        """What a configuration and a data folder put in force. packs: the rules that come with Hinomi."""
        kept = data / KEPT if data else None
        return cls(
            [*([packs] if settings.packs else []), *settings.folders],
            settings.pipelines,
            settings.placeholders,
            settings.disable,
            settings.enable,
            kept / CHOICE if kept else None,
        )

    @property
    def places(self) -> list[Path]:
        """All folders of now: the first import and the first exception make theirs while the tower runs."""
        return [*self.folders, *(_kept_folders(self.choice_file.parent) if self.choice_file else ())]

    def choice(self) -> Choice:
        """What is switched off, by the configuration and by decision. Raises ConfigError for a file that is wrong."""
        if self.choice_file is None:
            return Choice(self.disable, self.enable)
        from rules.decided import read_choice  # models and YAML, which a hunt has no use for

        kept = read_choice(self.choice_file)
        aside = read_choice(self._quarantine())
        return Choice([*self.disable, *kept.disable], [*self.enable, *kept.enable], aside.disable)

    def _quarantine(self) -> Path | None:
        return self.choice_file.with_name(QUARANTINE) if self.choice_file else None

    def load(self, cache: Path | None = None, today: date | None = None) -> "RuleSet":
        """The rules, compiled."""
        from rules import (
            engine,
        )  # a second of imports, which a process that only says which rules does without

        return engine.load(
            self.places,
            cache=cache,
            pipelines=self.pipelines,
            placeholders=self.placeholders,
            choice=self.choice(),
            today=today,
        )

    def changed(self) -> dict[str, int]:
        """What a reload depends on: each file with its time of change (ns), and the day."""
        found = {"": clock.today().toordinal()}
        files = [Path(one) for one in self.pipelines if Path(one).suffix in (".yml", ".yaml")]
        files += [one for one in (self.choice_file, self._quarantine()) if one is not None]
        for place in (*self.places, *files):
            _changes(place, found)
        return found


def data_folder(data: Path) -> Path:
    """Where a data folder keeps what people decided about rules. Raises ContentError where there is no data folder."""
    if not data.is_dir():
        raise ContentError(
            "データフォルダがありません。--data を確かめてください。",
            "there is no data folder here",
            where=Where(data),
        )
    return data / KEPT


def _kept_folders(kept: Path) -> Iterator[Path]:
    """What is imported, as it is or, where an import was cut off while it put the new in place of the old, as it was."""
    for one in sorted(kept.glob(f"{IMPORTED}/*/")):
        yield from [folder for folder in (one / LIVE, one / BEFORE) if folder.is_dir()][:1]
    if (kept / EXCEPTIONS).is_dir():
        yield kept / EXCEPTIONS


def _changes(place: Path, found: dict[str, int]) -> None:
    """The times of change of a file, or of the rule files of a folder: looked at every second, so without `Path`s."""
    try:
        if place.is_dir():
            for one in folders.entries(str(place)):
                with suppress(OSError):
                    found[one.path] = one.stat().st_mtime_ns
        else:
            found[str(place)] = place.stat().st_mtime_ns
    except OSError:
        return  # gone, or going: the next look tells
