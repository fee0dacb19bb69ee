"""`rhythm:` of the configuration: from when on a source counts as out of its rhythm."""

from datetime import UTC, datetime, time
from enum import StrEnum

from pydantic import Field

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from hinomi.config import Section

_OPENS, _CLOSES = time(8, 30), time(17, 15)


class Hours(StrEnum):
    """When a declared `silent_after` counts: around the clock, or in the hours of an office (8:30–17:15)."""

    ALWAYS = "always"
    OFFICE = "office"


class SourceRhythm(Section):
    """What one source may do; what is not written here is as under `rhythm:`.

    watch: false for a source that is no longer expected; silent_after: minutes without a line (unset: learned from
    what the source did); hours: when silent_after counts; flood_lines: lines in ten minutes below which nothing is a
    flood; flood_times: times the usual peak from which on it is one; late_minutes, ahead_minutes: by how much the
    times in the lines may jump behind or run ahead of the clock; unparsed_share: by how much the share of lines that
    cannot be read may rise.
    """

    watch: bool | None = None
    silent_after: float | None = Field(default=None, gt=0)
    hours: Hours | None = None
    flood_lines: int | None = Field(default=None, ge=1)
    flood_times: float | None = Field(default=None, gt=1)
    late_minutes: float | None = Field(default=None, gt=0)
    ahead_minutes: float | None = Field(default=None, gt=0)
    unparsed_share: float | None = Field(default=None, gt=0, le=1)


class RhythmSettings(Section):
    """`rhythm:` how sources are watched. warm_up_days: how long a source is learned before its own habits count;
    watch, silent_after, …: see `rhythm.sources.<name>`, whose key is an origin (a name under `listen` or `pull`)."""

    warm_up_days: float = Field(default=3.0, ge=0)
    watch: bool = True
    silent_after: float | None = Field(default=None, gt=0)
    hours: Hours = Hours.ALWAYS
    flood_lines: int = Field(default=20_000, ge=1)
    flood_times: float = Field(default=10.0, gt=1)
    late_minutes: float = Field(default=30.0, gt=0)
    ahead_minutes: float = Field(default=5.0, gt=0)
    unparsed_share: float = Field(default=0.2, gt=0, le=1)
    sources: dict[str, SourceRhythm] = Field(default_factory=dict)

    def of(self, origin: str) -> "RhythmSettings":
        """What counts for one origin."""
        own = self.sources.get(origin)
        return self if own is None else self.model_copy(update=own.model_dump(exclude_none=True))


def begin(hours: Hours, at: float) -> float | None:
    """Since when, at this time (seconds since 1970), lines are to be expected; None: they are not."""
    if hours is Hours.ALWAYS:
        return 0.0
    local = datetime.fromtimestamp(at, UTC).astimezone(JST)
    if is_day_off(local.date()) or not _OPENS <= local.time() < _CLOSES:
        return None
    return datetime.combine(local.date(), _OPENS, JST).timestamp()
