"""A test message by command and by code: what the officer is told, over real SMTP servers that take it and that refuse it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

from hinomi.clock import FixedClock
from hinomi.errors import InputError
from hinomi.store.embedded import SqliteRecords
from hinomi.words import Words
from ops.cli import _register, app
from ops.opened import remember
from responders.audit import Audit
from responders.notify.message import plain
from responders.notify.outbox import Outbox
from responders.notify.settings import NotifySettings
from responders.notify.trying import Trial, Tried
from responders.oncall.settings import Contact
from tests.e2e.tower import free_port
from tests.responders.city import NIGHT, messages
from tests.responders.peers.relay import relay
from tests.responders.peers.served import served

_register("")
MAIL = {"kind": "smtp", "host": "127.0.0.1", "tls": "none", "sender": "hinomi@city.example.jp"}


def _trial(folder: Path, channels: dict[str, Any], **more: Any) -> Trial:
    """One person with all of these channels."""
    clock = FixedClock(NIGHT)
    records = SqliteRecords(folder / "records.sqlite", clock=clock)
    settings = NotifySettings.model_validate({"channels": channels, **more})
    sato = Contact(name_ja="佐藤", channels=list(channels), mail="sato@city.example.jp")
    return Trial(records, clock, settings, {"sato": sato}, Audit(records, clock))


def _sent(trial: Trial, only: str = "") -> list[Tried]:
    return list(trial.send("sato", only, actor="cli:root"))


def test_a_real_relay_takes_it(tmp_path: Path) -> None:
    """Clearly marked as a test in both languages, to the person's own address; the audit log and the hour's limits know of it."""
    with relay() as own:
        trial = _trial(tmp_path, {"mail": {**MAIL, "port": own.port}}, label="訓練")
        [tried] = _sent(trial)
        [(_, mail)] = own.mails
    assert tried.taken and "本人に確かめて" in tried.said.ja and tried.remedy.ja == ""
    assert mail["To"] == "sato@city.example.jp" and mail["Subject"].startswith("【訓練】【試験】火の見")
    text = mail.get_content()
    assert "事案は起きていません" in text and "[TEST]" in text and "cli:root" in text
    [entry] = trial.records.find("audit", {"action": "notify.test"})
    assert (entry.body["actor"], entry.body["target"]) == ("cli:root", "sato")
    assert entry.body["details"]["how"] == "mail" and entry.body["details"]["taken"] is True
    assert trial.audit.verify() == [] and len(trial._lately()) == 1


class _Refusing:
    """A relay that says no to this command."""

    def __init__(self, command: str) -> None:
        self.command = command

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """See aiosmtpd."""
        if self.command == "rcpt":
            return "550 5.1.1 no such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """See aiosmtpd."""
        if self.command == "mail":
            return "553 5.7.1 not your address"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """See aiosmtpd."""
        return "250 OK"


@contextmanager
def _refusing(command: str) -> Iterator[int]:
    """The port of a real server that refuses there."""
    port = free_port()
    auth = {
        "authenticator": lambda *_: AuthResult(success=False, handled=False, message="535 5.7.8 wrong"),
        "auth_require_tls": False,
    }
    own = Controller(
        _Refusing(command), hostname="127.0.0.1", port=port, **(auth if command == "auth" else {})
    )
    own.start()
    try:
        yield port
    finally:
        own.stop()


@pytest.mark.parametrize(
    ("command", "more", "answer", "key"),
    [
        ("rcpt", {}, "550 5.1.1 no such person here", "oncall.people.sato の mail"),
        ("mail", {}, "553 5.7.1 not your address", "sender"),
        ("auth", {"user": "hinomi", "password": "env:HINOMI_MAIL"}, "535 5.7.8 wrong", "user と password"),
        ("starttls", {"tls": "starttls"}, "STARTTLS", "tls"),
        ("tls", {"tls": "tls"}, "SSL", "tls と port"),
    ],
)
def test_what_the_server_said_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, more: dict[str, Any], answer: str, key: str
) -> None:
    """Each answer of a real server in words, and the key of the configuration to look at; no secret in either."""
    monkeypatch.setenv("HINOMI_MAIL", "s3cret-word")
    with _refusing(command) as port:
        trial = _trial(tmp_path, {"mail": {**MAIL, "port": port, **more}})
        [tried] = _sent(trial)
    assert not tried.taken and answer in tried.said.ja and answer in tried.said.en
    assert key in tried.remedy.ja and "{" not in tried.remedy.ja + tried.remedy.en
    assert "s3cret" not in f"{tried} {trial.records.find('audit', limit=10)}"
    [entry] = trial.records.find("audit", {"action": "notify.test"})
    assert entry.body["details"]["taken"] is False and trial._lately() == []


def test_nobody_listens_and_the_next_channel_is_tried(tmp_path: Path) -> None:
    """Every channel of the person is tried, one that fails holds up none; one of them alone where that is asked."""
    folder = {"kind": "file", "folder": str(tmp_path / "messages")}
    trial = _trial(tmp_path, {"mail": {**MAIL, "port": free_port()}, "desk": folder})
    mail, desk = _sent(trial)
    assert not mail.taken and "防火壁" in mail.remedy.ja and desk.taken
    assert [tried.channel for tried in _sent(trial, "desk")] == ["desk"]


@pytest.mark.parametrize(("answer", "taken"), [(200, True), (403, False)])
def test_outside_the_city_nobody_is_named(tmp_path: Path, answer: int, taken: bool) -> None:
    """As with any message: a channel outside hears that it is a test, and no name. A service that says no is told with its number."""
    bodies = list[str]()

    async def take(request: Request) -> Response:
        bodies.append((await request.body()).decode())
        return Response(status_code=answer)

    with served(Starlette(routes=[Route("/in", take, methods=["POST"])]), tmp_path, tls=False) as there:
        (tmp_path / "url").write_text(f"{there.url}/in")
        chat = {"kind": "json", "url": f"file:{tmp_path / 'url'}", "inside": False}
        [tried] = _sent(_trial(tmp_path, {"chat": chat}))
    said = json.loads(bodies[0])["text"]
    assert "【試験】" in said and "[TEST]" in said and "佐藤" not in said and "cli:root" not in said
    assert tried.taken is taken and (taken or ("403" in tried.said.ja and "URL と鍵" in tried.remedy.ja))


def test_the_limits_of_the_hour_hold(tmp_path: Path) -> None:
    """The third within the hour is not sent and says why; an hour later it is."""
    folder = {"kind": "file", "folder": str(tmp_path / "messages")}
    trial = _trial(tmp_path, {"desk": folder}, per_person_an_hour=2)
    for _ in range(2):
        assert _sent(trial)[0].taken
        trial.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    [held] = _sent(trial)
    assert not held.taken and "1時間" in held.said.ja and "per_person_an_hour" in held.remedy.ja
    trial.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    assert _sent(trial)[0].taken


def test_tests_hold_up_no_message_that_calls(tmp_path: Path) -> None:
    """An officer who tries everything an hour long: the alarm that comes then goes out, though the tests have used up their own limit."""
    folder = {"kind": "file", "folder": str(tmp_path / "messages")}
    trial = _trial(tmp_path, {"desk": folder}, per_person_an_hour=1, an_hour=1)
    assert [_sent(trial)[0].taken for _ in range(2)] == [True, False]
    outbox = Outbox(trial.records, trial.clock, trial.settings, trial.people, trial.audit)
    alarm = plain(Words("【段階1】警報", "alarm"), [], outside=Words("警報", "alarm"))
    assert outbox.plan("sato", alarm, key="alarm", incident_id="") and outbox.deliver() == 1


@pytest.mark.parametrize(
    ("channel", "keys"),
    [
        ({"kind": "webhook", "url": "http://no-such-host.invalid/in"}, "url の綴り"),
        ({"kind": "webhook", "url": "http://127.0.0.1:1/in"}, "の url、途中の防火壁"),
        ({"kind": "line_works", "url": "http://127.0.0.1:1"}, "の url・token_url、途中の防火壁"),
        ({"kind": "file", "folder": "/proc/none"}, "folder の場所"),
    ],
)
def test_the_remedy_names_keys_that_the_channel_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: dict[str, Any], keys: str
) -> None:
    """Each kind of channel has its own keys: a webhook no host, a folder no firewall."""
    if channel["kind"] == "webhook":
        monkeypatch.setenv("HINOMI_HOOK", channel["url"])
        channel = {**channel, "url": "env:HINOMI_HOOK"}
    if channel["kind"] == "line_works":
        monkeypatch.setenv("HINOMI_KEY", _rsa_key())
        names = {
            "bot_id": "1",
            "channel_id": "2",
            "client_id": "c",
            "service_account": "a@b",
            "token_url": channel["url"],
        }
        channel = {**channel, **names, "client_secret": "env:HINOMI_KEY", "private_key": "env:HINOMI_KEY"}
    [tried] = _sent(_trial(tmp_path, {"own": channel}))
    assert not tried.taken and keys in tried.remedy.ja and "host" not in tried.remedy.ja


def test_a_secret_whose_file_is_not_there(tmp_path: Path) -> None:
    """It is the configuration that has to be mended: no firewall is looked for."""
    [tried] = _sent(_trial(tmp_path, {"own": {"kind": "webhook", "url": f"file:{tmp_path / 'nowhere'}"}}))
    assert not tried.taken and "hinomi doctor" in tried.remedy.ja


def _rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize("address", ["http://[::1", "http://例え.example:port/s3cret"])
def test_an_address_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A slip in the address is said as any failure is, without the address, which is a secret, and the next channel is tried."""
    monkeypatch.setenv("HINOMI_HOOK", address)
    folder = {"kind": "file", "folder": str(tmp_path / "messages")}
    trial = _trial(tmp_path, {"hook": {"kind": "webhook", "url": "env:HINOMI_HOOK"}, "desk": folder})
    hook, desk = _sent(trial)
    assert not hook.taken and "InvalidURL" in hook.said.ja and "url" in hook.remedy.ja.lower() and desk.taken
    assert "s3cret" not in f"{hook} {trial.records.find('audit', limit=10)}"


def test_an_unknown_person_or_channel(tmp_path: Path) -> None:
    """Told with the names that there are; a channel that people name and nobody configured is a failure of its own."""
    trial = _trial(tmp_path, {"desk": {"kind": "file", "folder": str(tmp_path)}})
    with pytest.raises(InputError, match="sato"):
        list(trial.send("satou", actor="cli:root"))
    with pytest.raises(InputError, match="desk"):
        _sent(trial, "mail")
    sato = trial.people["sato"].model_copy(update={"channels": ["dsek"]})
    trial = Trial(trial.records, trial.clock, trial.settings, {"sato": sato}, trial.audit)
    assert "notify.channels にこの名前がありません" in _sent(trial)[0].said.ja


def test_by_command(tmp_path: Path) -> None:
    """`hinomi oncall test`: 0 and a mark where all took it; 1, the answer and what to do where one did not."""
    config, data = tmp_path / "hinomi.yaml", tmp_path / "data"
    config.write_text(
        "respond:\n  oncall:\n    people: {sato: {name_ja: 佐藤, mail: sato@city.example.jp, channels: [desk, mail]}}\n"
        "    layers: [{people: [sato]}]\n  notify:\n    channels:\n"
        f"      desk: {{kind: file, folder: {tmp_path / 'messages'}}}\n"
        f"      mail: {{kind: smtp, host: 127.0.0.1, port: {free_port()}, tls: none, sender: h@city.example.jp}}\n"
    )
    SqliteRecords(data / "records.sqlite").close()
    remember(data, config)
    good = CliRunner().invoke(app, ["oncall", "test", "sato", "--channel", "desk", "--data", str(data)])
    assert good.exit_code == 0 and good.stdout.startswith("○ desk: 受け取られました。")
    [text] = messages(tmp_path)
    assert "【試験】" in text
    bad = CliRunner().invoke(app, ["oncall", "test", "sato", "--data", str(data)])
    assert bad.exit_code == 1 and "× mail: " in bad.stdout and "次にすること: " in bad.stdout
    assert "next: " in bad.stdout and "○ desk" in bad.stdout
