"""The configuration's section `rules`."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from hinomi.config import Section
from rules.selector import Selector


class RulesSettings(Section):
    """`rules:` packs: use the rules that come with Hinomi; folders: more Sigma rules, own or public.

    lateness_minutes: how late, in event time, a log line may come and still count in correlations; pipelines: pySigma
    processing pipelines, files (`.yml`) or names of installed ones, applied to every rule; placeholders: values for
    rules with `|expand`, by name; disable, enable: what is switched off, and what is on all the same (`hinomi rules
    disable` keeps more of these in the data folder); flood_per_hour, slow_share: signals in an hour, and share of one
    processor, beyond which a rule is set aside and people are told (0: never).
    """

    packs: bool = True
    folders: list[Path] = Field(default_factory=list)
    lateness_minutes: int = Field(default=120, ge=1, le=14 * 24 * 60)
    pipelines: list[str] = Field(default_factory=list)
    placeholders: dict[str, list[str]] = Field(default_factory=dict)
    disable: list[Selector] = Field(default_factory=list)
    enable: list[Selector] = Field(default_factory=list)
    flood_per_hour: int = Field(default=100_000, ge=0)
    slow_share: float = Field(default=0.25, ge=0, le=64)

    @property
    def lateness(self) -> timedelta:
        """`lateness_minutes` as a stretch of time."""
        return timedelta(minutes=self.lateness_minutes)
