"""A session that was started without the sign-in page, for clients that speak HTTP to a real server."""

from pathlib import Path

from dashboards.console.sessions import Sessions
from dashboards.settings import ConsoleSettings
from hinomi.clock import FixedClock
from hinomi.store.embedded import SqliteRecords
from tests.dashboards.city import NOW


def cookie_of(folder: Path, user: str = "m.kato") -> tuple[str, str]:
    """Name and value of the cookie of a new session of the store's city."""
    clock, settings = FixedClock(NOW), ConsoleSettings()
    records = SqliteRecords(folder / "records.sqlite", clock=clock)
    token, _ = Sessions(records, clock, settings.idle, settings.longest).start(user)
    records.close()
    return "hinomi_session", token
