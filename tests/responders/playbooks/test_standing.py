"""An act that ends by itself is prolonged by as many people as it took, who name the same moment."""

from datetime import UTC, datetime, timedelta

from hinomi.clock import JST
from responders.playbooks.standing import prolonged

UNTIL = datetime(2026, 11, 23, tzinfo=UTC)


def test_the_same_moment_in_two_zones_is_the_same() -> None:
    """The page writes Japanese time, a call may write any zone: both mean one moment. Another moment begins anew, and one person
    alone is never two."""
    body = {"due": "2026-11-21T00:00:00+00:00", "state": "open"}
    first = prolonged(body, UNTIL.astimezone(JST), "e.abe", 2)
    assert first["due"] == body["due"] and first["asked"]["by"] == ["e.abe"]
    assert prolonged(first, UNTIL, "e.abe", 2)["asked"]["by"] == ["e.abe"]
    second = prolonged(first, UNTIL, "k.mori", 2)
    assert datetime.fromisoformat(second["due"]) == UNTIL and second["asked"] is None
    assert prolonged(first, UNTIL + timedelta(hours=1), "k.mori", 2)["asked"]["by"] == ["k.mori"]
