"""The forecast against a simulation that keeps every day's bytes one by one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.retention import Period
from hinomi.store import DayStats
from ops.forecast import forecast

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = NOW.replace(hour=0)


def _held(name: str, sizes: list[int]) -> list[DayStats]:
    """sizes: bytes by age in days, today first."""
    return [DayStats(name, TODAY - timedelta(days=age), 1, size) for age, size in enumerate(sizes)]


def _period(days: int) -> Period:
    return Period(datasets=[""], days=days, reason_ja="", reason_en="")


def test_growth_without_end_fills_the_disk_on_the_day_that_arithmetic_says() -> None:
    """100 bytes a day into 1,000 bytes: the eleventh day is one too many."""
    found = forecast(_held("a", [30, 100, 100, 100]), [_period(3650)], 1_000, NOW)
    assert (found.daily, found.days) == (100, 11)


def test_few_things_of_workdays_are_not_rounded_to_nothing() -> None:
    """Two shards on three days of seven, of twenty datasets: some seventeen a day, not none."""
    days = [one for n in range(20) for one in _held(f"d{n}", [0, 2, 2, 2, 0, 0, 0, 0])]
    found = forecast(days, [_period(3650)], 170, NOW)
    assert (round(found.daily), found.days) == (17, 10)


def test_a_disk_that_retention_keeps_level_is_never_full() -> None:
    """Once each day takes away what it brings, nothing is left to fear; a quiet store neither."""
    assert forecast(_held("a", [0] + [100] * 30), [_period(30)], 200, NOW).days is None
    assert forecast([], [_period(30)], 0, NOW).days is None


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 50), min_size=1, max_size=20),
    period=st.integers(1, 25),
    room=st.integers(0, 600),
)
def test_forecast_is_what_a_simulation_day_by_day_finds(sizes: list[int], period: int, room: int) -> None:
    """Day by day: what is too old goes, a mean day comes; the first day that does not fit is the answer."""
    found = forecast(_held("a", sizes), [_period(period)], room, NOW)
    days = {-age: size for age, size in enumerate(sizes) if age <= period}
    used = sum(sizes)
    full = used + room
    gone_before = sum(size for age, size in enumerate(sizes) if age > period)
    expected = None
    for day in range(1, 120):
        days[day] = found.daily
        days.pop(day - period - 1, None)
        if sum(days.values()) + gone_before > full:
            expected = day
            break
    assert found.days == expected or (expected is None and found.days is not None and found.days >= 120)
