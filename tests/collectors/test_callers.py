"""Who came in by YAMAHA's remote access: a caller is told by another line, and only where that line is surely theirs."""

from typing import Any

from collectors import catalogue
from tests.collectors import content

_UP = "PP[ANONYMOUS01] PPP/IPCP up  (Local: 192.168.100.1, Remote: 192.168.100.20)"
_DOWN = "PP[ANONYMOUS01] PPP/IPCP down"
_CALL = "PP[ANONYMOUS01] Call detected from user '{}'"


def _persons(*lines: tuple[str, str]) -> list[Any]:
    """user.name of each (host, text), as a relay passes them on in one batch."""
    intake = content.intake(*[f"<134>Nov 20 12:14:05 {host} {text}" for host, text in lines])
    parsed = catalogue.find("yamaha.rt").parse(intake)
    assert not parsed.rejected.height
    (frame,) = parsed.frames
    return frame.sort("row")["user.name"].to_list()


def test_a_pp_takes_its_person_from_its_own_router() -> None:
    """Every router numbers its PPs from 1: behind one relay they are told apart by the host."""
    lines = ("rt-town-a", _CALL.format("alice")), ("rt-town-b", _UP), ("rt-town-a", _UP)
    assert _persons(*lines) == ["alice", None, "alice"]


def test_who_went_is_not_who_comes_next() -> None:
    """A PP that comes up again without a call is nobody's; after the next call it is that caller's."""
    host = "rt-town-a"
    lines = [_CALL.format("alice"), _UP, _DOWN, _UP, _CALL.format("bob"), _UP]
    assert _persons(*[(host, line) for line in lines]) == ["alice", "alice", None, None, "bob", "bob"]
