"""What people type into the forms of the pages: texts and times, read and checked."""

from datetime import datetime

from dashboards import times
from dashboards.console.visit import Visit
from hinomi.errors import InputError

WAYS = ("phone", "mail", "form", "meeting", "fax")
"""How somebody can be told something."""

_LONGEST = 4_000


def text(visit: Visit, field: str) -> str:
    """A text of the form. Raises InputError for an empty or an endless one."""
    given = visit.form.get(field, "").strip().replace("\r\n", "\n")
    if not given or len(given) > _LONGEST:
        raise InputError(
            f"文章を 1〜{_LONGEST} 字で入力してください。", f"enter a text of 1 to {_LONGEST} characters"
        )
    return given


def moment(visit: Visit, field: str) -> datetime:
    """A time of the form, in Japan. Raises InputError."""
    given = times.given(visit.form.get(field, ""))
    if given is None or not 2000 <= given.year <= 2200:
        raise InputError("日時を入力してください。", "enter a date and a time")
    return given


def span(visit: Visit) -> tuple[datetime, datetime, str]:
    """From when to when, and why. Raises InputError."""
    return moment(visit, "start"), moment(visit, "end"), text(visit, "reason")


def now_input(visit: Visit) -> str:
    """Now, as a form's field for a time takes it."""
    return times.local_input(visit.console.clock.now())
