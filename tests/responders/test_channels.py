"""Channels against local servers that check what the vendors' documents ask for; mail that old readers can read."""

import base64
import email
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message as Mail
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hinomi.errors import DependencyDown
from ops.elastic.certificates import Authority
from responders.notify.channels import json_post, line_works, phone, slack, smtp, teams
from responders.notify.iso2022jp import encodable
from responders.notify.message import Message
from responders.oncall.settings import Contact
from tests.responders.peers.served import served
from tests.shared import program

HOSTILE = "<!channel> [ここ](http://evil.example) *x* & {ack} 髙﨑①～㈱"
MESSAGE = Message("【重大】#12", HOSTILE, 3, link="http://tower/incidents/12", ack="http://tower/a/token")
SATO = Contact(
    name_ja="佐藤", channels=["x"], mail="s@example.jp", phone="+810000000000", line_works="sato@city"
)


@dataclass(slots=True)
class Services:
    """Teams, Slack, LINE WORKS, a telephone provider and a chat of its own shape, on one local server."""

    got: dict[str, list[Any]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    answer: int = 200

    def app(self) -> Starlette:
        """One path a service."""
        return Starlette(
            routes=[
                Route("/teams", self._teams, methods=["POST"]),
                Route("/slack", self._slack, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
                Route("/v1.0/bots/{bot}/users/{user}/messages", self._line, methods=["POST"]),
                Route("/2010-04-01/Accounts/{sid}/{kind}.json", self._phone, methods=["POST"]),
                Route("/own", self._own, methods=["POST"]),
            ]
        )

    def _note(self, name: str, value: Any) -> None:
        self.got.setdefault(name, []).append(value)

    async def _teams(self, request: Request) -> Response:
        body = json.loads(await request.body())
        card = body["attachments"][0]["content"]
        good = body["type"] == "message" and card["type"] == "AdaptiveCard" and card["body"]
        self._note("teams", card)
        return Response(status_code=202 if good and self.answer == 200 else 400)

    async def _slack(self, request: Request) -> Response:
        self._note("slack", json.loads(await request.body()))
        return Response("ok", status_code=self.answer)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        head, claims, signature = form["assertion"].split(".")
        self.key.public_key().verify(
            _raw(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        said = json.loads(_raw(claims))
        good = said["iss"] == "client" and said["sub"] == "robot@city" and form["client_secret"] == "s3cret"
        good = good and form["grant_type"].endswith("jwt-bearer") and form["scope"] == "bot"
        return JSONResponse({"access_token": "t0ken"} if good else {}, status_code=200 if good else 400)

    async def _line(self, request: Request) -> Response:
        if request.headers["authorization"] != "Bearer t0ken":
            return Response(status_code=401)
        self._note("line", (request.path_params, json.loads(await request.body())))
        return Response(status_code=201)

    async def _phone(self, request: Request) -> Response:
        wanted = "Basic " + base64.b64encode(b"AC1:p4ss").decode()
        if request.headers["authorization"] != wanted:
            return Response(status_code=401)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self._note(str(request.path_params["kind"]), form)
        return Response(status_code=201)

    async def _own(self, request: Request) -> Response:
        self._note("own", (dict(request.headers), json.loads(await request.body())))
        return Response(status_code=self.answer)


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Services, str]]:
    own = Services()
    with served(own.app(), tmp_path, tls=False) as at:
        pem = own.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        secrets = {"S": "s3cret", "P": "p4ss", "K": pem.decode(), "H": "Bearer x"}
        for name, value in {
            **secrets,
            "T": f"{at.url}/teams",
            "L": f"{at.url}/slack",
            "O": f"{at.url}/own",
        }.items():
            monkeypatch.setenv(name, value)
        yield own, at.url


def test_teams(services: tuple[Services, str]) -> None:
    """An adaptive card with buttons; hostile text makes no link."""
    teams.send(teams.Teams.model_validate({"kind": "teams", "url": "env:T"}), SATO, MESSAGE, "k")
    [card] = services[0].got["teams"]
    assert [one["url"] for one in card["actions"]] == [MESSAGE.ack, MESSAGE.link]
    assert "\\[ここ\\]\\(http" in card["body"][1]["text"]


def test_slack(services: tuple[Services, str]) -> None:
    """Plain text only: nobody is called by a log line."""
    settings = slack.Slack.model_validate({"kind": "slack", "url": "env:L"})
    slack.send(settings, SATO, Message("<!channel> & co", HOSTILE), "k")
    [body] = services[0].got["slack"]
    assert body["text"] == "&lt;!channel&gt; &amp; co"
    assert all(block["text"]["type"] == "plain_text" for block in body["blocks"] if "text" in block)
    services[0].answer = 500
    with pytest.raises(DependencyDown) as down:
        slack.send(settings, SATO, MESSAGE, "k")
    assert "500" in str(down.value) and "/slack" not in str(down.value)


def test_line_works(services: tuple[Services, str]) -> None:
    """Signed in as the service account by a JWT that verifies; the text reaches the person."""
    settings = line_works.LineWorks.model_validate(
        {
            "kind": "line_works",
            "bot_id": "7",
            "client_id": "client",
            "client_secret": "env:S",
            "service_account": "robot@city",
            "private_key": "env:K",
            "url": services[1],
            "token_url": f"{services[1]}/token",
        }
    )
    line_works.send(settings, SATO, MESSAGE, "k")
    [(path, body)] = services[0].got["line"]
    assert path == {"bot": "7", "user": "sato@city"} and body["content"]["type"] == "text"
    hostile = replace(MESSAGE, text='<m userId="all"> came from a log line')
    line_works.send(settings, SATO, hostile, "k")
    assert "<" not in services[0].got["line"][1][1]["content"]["text"]
    with pytest.raises(DependencyDown, match="ID"):
        line_works.send(settings, Contact(name_ja="x", channels=["x"]), MESSAGE, "k")


def test_short_message_and_call(services: tuple[Services, str]) -> None:
    """A short message with the link to acknowledge; a call whose TwiML is well formed."""
    own = {"kind": "phone", "account": "AC1", "token": "env:P", "sender": "+81500000000", "url": services[1]}
    phone.send(phone.Phone.model_validate(own), SATO, MESSAGE, "k")
    [form] = services[0].got["Messages"]
    assert form["To"] == SATO.phone and form["Body"].endswith(MESSAGE.ack)
    voice = phone.Phone.model_validate({**own, "mode": "voice"})
    phone.send(voice, SATO, Message("<b>&", "x"), "k")
    said = ElementTree.fromstring(services[0].got["Calls"][0]["Twiml"])
    assert said[0].text is not None and "<b>&" in said[0].text and said[0].get("language") == "ja-JP"


def test_json_of_any_shape(services: tuple[Services, str]) -> None:
    """LoGoチャット and the like: the shape is configuration; a placeholder in a log line stays text."""
    settings = json_post.JsonPost.model_validate(
        {
            "kind": "json",
            "url": "env:O",
            "body": {"message": {"body": "{subject}/{text}", "to": ["x", 1]}},
            "headers": {"Authorization": "env:H"},
        }
    )
    json_post.send(settings, SATO, MESSAGE, "key-1")
    [(headers, body)] = services[0].got["own"]
    assert body == {"message": {"body": f"【重大】#12/{HOSTILE}", "to": ["x", 1]}} and "{ack}" in HOSTILE
    assert headers["authorization"] == "Bearer x" and headers["idempotency-key"] == "key-1"


class Kept:
    """What a relay was given, instead of a relay (test_calling.py has a real one)."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sendmail(self, sender: str, to: list[str], mail: bytes) -> None:
        """Keep it."""
        self.mails.append(mail)


def given(monkeypatch: pytest.MonkeyPatch, **more: Any) -> bytes:
    kept = Kept()
    monkeypatch.setattr(smtp, "_connected", lambda settings: kept)
    own = {"kind": "smtp", "host": "h", "sender": "tower@example.jp", **more}
    smtp.send(smtp.Smtp.model_validate(own), SATO, MESSAGE, "k1")
    return kept.mails[0]


def test_mail_for_readers_of_iso_2022_jp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven bits only, subject and body say so and read back; what the set lacks is written with its like."""
    raw = given(monkeypatch, charset="iso-2022-jp")
    assert max(raw) < 128
    mail = email.message_from_bytes(raw)
    assert mail.get_content_charset() == "iso-2022-jp" and mail["Message-ID"] == "<k1@hinomi>"
    text = _payload(mail).decode("iso-2022-jp")
    assert "高崎(1)〜(株)" in text
    words, charset = email.header.decode_header(mail["Subject"])[0]
    assert charset == "iso-2022-jp" and isinstance(words, bytes) and words.decode(charset) == "【重大】#12"
    assert encodable("ｱｲ😀𠮷Ⅳ") == "アイ〓吉IV"


@pytest.mark.parametrize(("signs", "encoding"), [(490, "7bit"), (500, "base64"), (4000, "base64")])
def test_no_line_is_longer_than_a_relay_must_take(
    monkeypatch: pytest.MonkeyPatch, signs: int, encoding: str
) -> None:
    """A hand-over note of one line: two octets a sign. It reads back whole, and no line has more than 998 octets (RFC 5321)."""
    monkeypatch.setattr(f"{__name__}.MESSAGE", replace(MESSAGE, text="申" * signs))
    raw = given(monkeypatch, charset="iso-2022-jp")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    mail = email.message_from_bytes(raw)
    assert mail["Content-Transfer-Encoding"] == encoding
    assert _payload(mail).decode("iso-2022-jp").strip() == "申" * signs


def _payload(mail: Mail) -> bytes:
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def test_mail_in_utf8_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default."""
    mail = email.message_from_bytes(given(monkeypatch))
    assert _payload(mail).decode().strip() == HOSTILE and mail.get_content_charset() == "utf-8"


def test_signed_mail_verifies_with_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S/MIME: openssl says that it is ours; one changed letter and it does not."""
    Authority().write(tmp_path, "127.0.0.1")
    monkeypatch.setenv("K", (tmp_path / "node.key").read_text())
    signing = {"certificate": str(tmp_path / "node.pem"), "key": "env:K"}
    raw = given(monkeypatch, signing=signing)
    assert b"multipart/signed" in raw

    def verified(mail: bytes) -> bool:
        (tmp_path / "mail.eml").write_bytes(mail)
        command = [
            program("openssl"),
            "cms",
            "-verify",
            "-in",
            tmp_path / "mail.eml",
            "-CAfile",
            tmp_path / "ca.pem",
        ]
        done = subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False, timeout=30)
        return done.returncode == 0

    assert verified(raw)
    text = base64.b64encode(HOSTILE.encode())[:20]
    assert text in raw and not verified(raw.replace(text, text[:-2] + b"AA"))
