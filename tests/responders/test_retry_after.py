"""Whoever asks to be left alone (429 or 503 with Retry-After) is: a target for as long, a channel for a minute at most, while
others are asked in its place."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hinomi import pauses
from hinomi.errors import DependencyDown
from responders.connectors.protocol import Done
from tests.responders.city import alert, messages, responder
from tests.responders.peers.served import served
from tests.responders.playbooks.stage import HEAD, Broken, scene, written

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("Thu, 19 Nov 2026 12:00:30 GMT", 30),
        ("Thu, 19 Nov 2026 11:00:00 GMT", 0),
        ("", 0),
        (None, 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("9" * 400, 999_999_999),
        ("Thu, 19 Nov 2026 12:00:30 -0000", 30),
        (f"Thu, 19 Nov {'9' * 20} 12:00:30 GMT", 0),
        (f"Thu, 19 Nov 2026 12:00:30 +{'9' * 20}", 0),
    ],
)
def test_what_the_header_says(said: str | None, seconds: float) -> None:
    """Seconds or a date; anything else is as if nothing was said."""
    assert pauses.asked(said, NOON) == seconds


@pytest.mark.parametrize(("asked", "waited"), [(0, 5), (90, 90), (1e9, 600)])
def test_a_target_is_left_alone_for_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: float, waited: int
) -> None:
    """Not a second earlier than it said, and never longer than ten minutes; then the act is done, once."""
    on = scene(tmp_path, written(tmp_path, "  - {act: ticket.open, value: host.name, undo: false}\n", HEAD))
    tries, act = [], Broken.act

    def busy_once(self: Broken, action: str, values: Any) -> Done:
        tries.append(on.clock.now())
        if len(tries) == 1:
            raise DependencyDown("429 を返しました。", "answered 429", after=asked)
        return act(self, action, values)

    monkeypatch.setattr(Broken, "act", busy_once)
    on.approve()
    on.tick()
    on.clock.advance(timedelta(seconds=waited) - SECOND)
    on.tick()
    assert len(tries) == 1
    on.clock.advance(SECOND)
    on.tick()
    assert len(tries) == 2 and tries[1] - tries[0] == timedelta(seconds=waited) and len(on.stage.acts) == 1


@dataclass(slots=True)
class Busy:
    """A chat that wants to be left alone so long."""

    seconds: str
    asked: list[bytes] = field(default_factory=list)

    def app(self) -> Starlette:
        """One path."""
        return Starlette(routes=[Route("/in", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.asked.append(await request.body())
        return Response(status_code=429, headers={"Retry-After": self.seconds})


def _oncall(*channels: str) -> dict[str, Any]:
    chain = {grade: [{"after_minutes": 0, "to": ["sato"]}] for grade in (1, 2, 3)}
    people = {"sato": {"name_ja": "佐藤", "channels": list(channels)}}
    return {"people": people, "layers": [{"people": ["sato"]}], "escalation": chain}


@pytest.mark.parametrize("channels", [("chat", "desk"), ("chat",)])
@pytest.mark.parametrize(("seconds", "kept"), [("30", 30), ("86400", 60)])
def test_a_channel_is_left_alone_and_another_is_taken(
    tmp_path: Path, channels: tuple[str, ...], seconds: str, kept: int
) -> None:
    """The next way is taken at once, also for what comes later; where there is none the chat is asked again when its time is
    over, a minute at most."""
    chat = Busy(seconds)
    secret = tmp_path / "address"
    with served(chat.app(), tmp_path, tls=False) as at:
        secret.write_text(f"{at.url}/in")
        ways = {
            "chat": {"kind": "webhook", "url": f"file:{secret}"},
            "desk": {"kind": "file", "folder": str(tmp_path / "messages")},
        }
        tower, clock = responder(tmp_path, oncall=_oncall(*channels), notify={"channels": ways})
        tower.receive([alert("one", level="critical")])
        for _ in range(8):
            tower.tick()
            clock.advance(SECOND)
        assert len(chat.asked) == 1
        tower.receive([alert("two", minutes=1, level="critical", entities={"host.name": ["pc-9"]})])
        for _ in range(kept - 9):
            tower.tick()
            clock.advance(SECOND)
        assert len(chat.asked) == 1, "not asked before its time"
        if "desk" in channels:
            assert {"one", "two"} <= {
                word for text in messages(tmp_path) for word in ("one", "two") if word in text
            }
            return
        for _ in range(30):
            tower.tick()
            clock.advance(SECOND)
        assert len(chat.asked) > 1
