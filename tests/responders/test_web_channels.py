"""Webhook and chat against a real HTTP server: what arrives, who can tell that it is us, and what is tried again."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hinomi.errors import DependencyDown
from responders.notify.channels import chat, webhook
from responders.notify.message import Message
from responders.notify.settings import Chat, Webhook
from responders.oncall.settings import Contact
from tests.responders.peers.served import served

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise, on Python 3.11 and 3.12
MESSAGE = Message("重大: VPN への不正なサインイン", "最初にすること: 送信元を確かめてください。")
SATO = Contact(name_ja="佐藤", channels=["hook"])


@dataclass(slots=True)
class Inbox:
    """What came in; answer: what is said to it."""

    answer: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    strayed: int = 0

    def app(self) -> Starlette:
        """`/in` takes, `/away` points elsewhere."""
        return Starlette(
            routes=[
                Route("/in", self._take, methods=["POST"]),
                Route("/away", self._away, methods=["POST", "GET"]),
                Route("/elsewhere", self._stray, methods=["POST", "GET"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        return Response(status_code=self.answer)

    async def _away(self, request: Request) -> Response:
        return Response(status_code=307, headers={"Location": "/elsewhere"})

    async def _stray(self, request: Request) -> Response:
        self.strayed += 1
        return Response()


def _secret(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return f"file:{path}"


def _webhook(folder: Path, url: str) -> Webhook:
    key = _secret(folder, "key", "shared-key")
    return Webhook.model_validate({"kind": "webhook", "url": _secret(folder, "url", url), "key": key})


def test_a_webhook_is_signed_and_numbered(tmp_path: Path) -> None:
    """The receiver can check that it is us and drop a second copy."""
    inbox = Inbox()
    with served(inbox.app(), tmp_path, tls=False) as there:
        webhook.send(_webhook(tmp_path, f"{there.url}/in"), SATO, MESSAGE, "n-1")
    [body], [headers] = inbox.bodies, inbox.headers
    assert json.loads(body) == {"id": "n-1", "subject": MESSAGE.subject, "text": MESSAGE.text}
    wanted = hmac.new(b"shared-key", body, hashlib.sha256).hexdigest()
    assert headers["x-hinomi-signature"] == f"sha256={wanted}"
    assert headers["idempotency-key"] == "n-1"


def test_whom_it_is_for_is_said_inside_only(tmp_path: Path) -> None:
    """A receiver of the city's own learns the name; one outside does not (above)."""
    inbox = Inbox()
    with served(inbox.app(), tmp_path, tls=False) as there:
        settings = _webhook(tmp_path, f"{there.url}/in").model_copy(update={"inside": True})
        webhook.send(settings, SATO, MESSAGE, "n-1")
    assert json.loads(inbox.bodies[0])["to"] == "佐藤"


@pytest.mark.parametrize("answer", [400, 401, 404, 429, 500, 503])
def test_a_webhook_that_does_not_take_it_is_tried_again_without_telling_its_address(
    tmp_path: Path, answer: int
) -> None:
    """The address of a webhook is a secret: it is in no error."""
    inbox = Inbox(answer)
    with served(inbox.app(), tmp_path, tls=False) as there, pytest.raises(DependencyDown) as raised:
        webhook.send(_webhook(tmp_path, f"{there.url}/in?token=s3cr3t"), SATO, MESSAGE, "n-1")
    assert "s3cr3t" not in str(raised.value) and str(answer) in str(raised.value)


def test_a_redirection_is_not_followed(tmp_path: Path) -> None:
    """Where the message goes is what the configuration says, nowhere else."""
    inbox = Inbox()
    with served(inbox.app(), tmp_path, tls=False) as there, pytest.raises(DependencyDown):
        webhook.send(_webhook(tmp_path, f"{there.url}/away"), SATO, MESSAGE, "n-1")
    assert inbox.strayed == 0


def test_nobody_there(tmp_path: Path) -> None:
    """A closed port is tried again; the address stays unsaid."""
    with served(Inbox().app(), tmp_path, tls=False) as there:
        url = there.url
    with pytest.raises(DependencyDown) as raised:
        webhook.send(_webhook(tmp_path, f"{url}/in?token=s3cr3t"), SATO, MESSAGE, "n-1")
    assert "s3cr3t" not in str(raised.value)


def test_a_chat_service_gets_subject_and_text(tmp_path: Path) -> None:
    """Through apprise's JSON service, as through any of its services."""
    inbox = Inbox()
    with served(inbox.app(), tmp_path, tls=False) as there:
        url = _secret(tmp_path, "chat", f"{there.url.replace('http', 'json')}/in")
        chat.send(Chat.model_validate({"kind": "chat", "url": url}), SATO, MESSAGE, "n-1")
    said = json.loads(inbox.bodies[0])
    assert said["title"] == MESSAGE.subject and MESSAGE.text in said["message"]


def test_a_chat_service_that_refuses_is_tried_again(tmp_path: Path) -> None:
    """An answer of 500 and an address of no service are both said in words."""
    with served(Inbox(500).app(), tmp_path, tls=False) as there:
        url = _secret(tmp_path, "chat", f"{there.url.replace('http', 'json')}/in")
        with pytest.raises(DependencyDown):
            chat.send(Chat.model_validate({"kind": "chat", "url": url}), SATO, MESSAGE, "n-1")
    odd = _secret(tmp_path, "odd", "no-such-service://x")
    with pytest.raises(DependencyDown):
        chat.send(Chat.model_validate({"kind": "chat", "url": odd}), SATO, MESSAGE, "n-1")
