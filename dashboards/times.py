"""Times as people here read them: Japan time, the original beside it, and durations in words."""

from datetime import UTC, datetime, timedelta

from hinomi.clock import JST
from hinomi.words import Language

_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def parse(value: object) -> datetime | None:
    """A zoned datetime from a datetime or ISO text; None where it is neither."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            return parse(datetime.fromisoformat(value))
        except ValueError:
            return None
    return None


def given(text: str) -> datetime | None:
    """A time that somebody typed; one without a zone is Japan's. None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=JST)


def clock_time(time: datetime, *, seconds: bool = True, year: int | None = None) -> str:
    """`11/20 03:14:07` in Japan time; `2027/11/20 03:14:07` where it is not of the year that goes without saying."""
    local = time.astimezone(JST)
    head = "" if year is None or local.year == year else f"{local.year}/"
    return head + local.strftime("%m/%d %H:%M:%S" if seconds else "%m/%d %H:%M")


def full(time: datetime) -> str:
    """`2026-11-20 03:14:07 JST`."""
    return time.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S JST")


def local_input(time: datetime) -> str:
    """`2026-11-20T03:14:07` in Japan time, as `<input type=datetime-local>` takes it."""
    return time.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S")


def day(time: datetime, language: Language) -> str:
    """`2026年11月20日(金)` or `Fri 2026-11-20`, the day in Japan."""
    local = time.astimezone(JST)
    if language == "ja":
        return f"{local.year}年{local.month}月{local.day}日({_WEEKDAYS['ja'][local.weekday()]})"
    return f"{_WEEKDAYS['en'][local.weekday()]} {local:%Y-%m-%d}"


def period(start: datetime, end: datetime, language: Language) -> str:
    """`2026年11月20日(金)`, `2026年12月28日〜2027年1月3日` as days, `2026年11月`, `令和8年度(2026年度)`: as people name the period."""
    first, last = start.astimezone(JST), end.astimezone(JST) - timedelta(seconds=1)
    if (last - first).days > 300:
        era = f"令和{first.year - 2018}年度({first.year}年度)"
        return era if language == "ja" else f"fiscal {first.year}"
    if first.day == 1 and (end.astimezone(JST) - first).days >= 28:
        return f"{first.year}年{first.month}月" if language == "ja" else f"{first:%Y-%m}"
    if first.date() == last.date():
        return day(start, language)
    if language == "en":
        return f"{first:%Y-%m-%d} – {last:%Y-%m-%d}"
    turn = f"{last.year}年" if last.year != first.year else ""
    return f"{first.year}年{first.month}月{first.day}日〜{turn}{last.month}月{last.day}日"


def duration(span: timedelta, language: Language) -> str:
    """`2時間14分` or `2 h 14 min`: the two largest units that matter."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = ("日", "時間", "分") if language == "ja" else (" d", " h", " min")
    parts = [f"{n}{unit}" for n, unit in zip((days, hours, rest), units, strict=True) if n][:2]
    if not parts:
        return "1分未満" if language == "ja" else "under 1 min"
    return ("" if language == "ja" else " ").join(parts)
