"""What leaves the city's network names nobody: every kind of channel, as it is set up by default, with real posts to a server."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hinomi.config import Section
from responders.notify.kinds import kinds
from tests.responders.city import alert, responder
from tests.responders.peers.served import served

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise, on Python 3.11 and 3.12
INSIDE = {"file", "smtp"}
"""Channels of the city's own machines."""
NAMED = ("t.yamada", "k.ito", "203.0.113.66", "pc-0417", "戸籍")
OUTSIDE: dict[str, dict[str, Any]] = {
    "teams": {"url": "{url}/in"},
    "slack": {"url": "{url}/in"},
    "webhook": {"url": "{url}/in", "key": "shared"},
    "json": {"url": "{url}/in"},
    "chat": {"url": "{apprise}/in"},
    "phone": {"account": "AC1", "token": "t0ken", "sender": "+81500000000", "url": "{url}"},
    "line_works": {
        "bot_id": "1",
        "client_id": "c",
        "client_secret": "s",
        "service_account": "a@city",
        "private_key": "{pem}",
        "url": "{url}",
        "token_url": "{url}/token",
    },
}


@dataclass(slots=True)
class Outside:
    """Takes whatever is posted and keeps it as a reader sees it."""

    came: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """Every path."""
        return Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        if request.url.path == "/token":
            return JSONResponse({"access_token": "t"})
        shown = (
            json.dumps(json.loads(body), ensure_ascii=False) if body.startswith("{") else unquote_plus(body)
        )
        self.came.append(shown)
        return JSONResponse({}, status_code=201)


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def _settings(kind: str, url: str, folder: Path) -> dict[str, Any]:
    """The channel's settings, what is secret in files of its own."""
    given = {"{url}": url, "{apprise}": url.replace("http", "json"), "{pem}": ""}
    own: dict[str, Any] = {"kind": kind}
    for name, text in OUTSIDE[kind].items():
        value = _pem() if text == "{pem}" else text
        for mark, is_ in given.items():
            value = value.replace(mark, is_)
        if "Secret" in str(kinds()[kind].settings.model_fields[name].annotation):
            path = folder / f"{name}.secret"
            path.write_text(value, encoding="utf-8")
            value = f"file:{path}"
        own[name] = value
    return own


def test_every_kind_is_looked_at() -> None:
    """A new channel is either of the city's own machines or in the table below; what it may say by default fits."""
    assert set(kinds()) == INSIDE | set(OUTSIDE)
    for name, kind in kinds().items():
        settings: type[Section] = kind.settings
        assert settings.model_fields["inside"].default is (name in INSIDE), name


@pytest.mark.parametrize(
    ("kind", "more"), [*((kind, {}) for kind in sorted(OUTSIDE)), ("phone", {"mode": "voice"})]
)
def test_nobody_is_named_outside(kind: str, more: dict[str, str], tmp_path: Path) -> None:
    """One incident with a plan, then several in one message: each arrives, none holds a name, an address, a machine or a
    title out of the logs. The same channel declared to be inside does name them: the check can fail."""
    assert not [
        one for text in _told(kind, more, tmp_path / "outside") for one in (*NAMED, "佐藤") if one in text
    ]
    within = _told(kind, {**more, "inside": True}, tmp_path / "inside")
    assert any("戸籍" in text for text in within)


def _told(kind: str, more: dict[str, Any], tmp_path: Path) -> list[str]:
    """What arrives there of three incidents."""
    tmp_path.mkdir()
    there = Outside()
    with served(there.app(), tmp_path, tls=False) as at:
        channel = _settings(kind, at.url, tmp_path) | more
        person = {"name_ja": "佐藤", "channels": ["x"], "phone": "+810000000000", "line_works": "sato@city"}
        made, clock = responder(
            tmp_path,
            notify={"channels": {"x": channel}},
            oncall={"people": {"sato": person}, "layers": [{"people": ["sato"]}]},
        )
        about: dict[str, Any] = {"title_ja": "戸籍の照会", "level": "critical"}
        first = {"user.name": ["t.yamada"], "source.ip": ["203.0.113.66"]}
        made.receive([alert("one", entities=first, playbook="block_address", **about)])
        clock.advance(timedelta(minutes=1))
        made.tick()
        assert len(there.came) == 1
        later = ({"user.name": ["k.ito"]}, {"host.name": ["pc-0417"]})
        made.receive([alert(f"n{n}", minutes=2, entities=one, **about) for n, one in enumerate(later)])
        clock.advance(timedelta(minutes=1))
        made.tick()
    assert len(there.came) == 2
    return there.came
