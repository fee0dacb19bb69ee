"""The `_bulk` intake: shippers are understood, tokens needed, limits kept, nothing told before it is durable."""

import asyncio
import base64
import gzip
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch import Elasticsearch, helpers
from pydantic import ValidationError
from structlog.testing import capture_logs

from collectors.settings import Listener
from collectors.transports import tokens
from hinomi.errors import ConfigError
from hinomi.identity import digest
from hinomi.secret import Secret
from tests.collectors.transports.certificates import make
from tests.collectors.transports.intake import MIB, Running, intake

TOKEN = "t0ken-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("HINOMI_T", TOKEN)
    return {"kind": "http", "token": "env:HINOMI_T"}


def client(running: Running, name: str = "b", **options: Any) -> httpx.AsyncClient:
    options.setdefault("headers", BEARER)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port(name)}", timeout=20, **options)


def bulk(*pairs: tuple[Mapping[str, Any], str]) -> bytes:
    return "".join(f"{json.dumps(action)}\n{document}\n" for action, document in pairs).encode()


def test_bulk_keeps_documents_as_sent_and_answers_each(tmp_path: Path, listener: dict[str, Any]) -> None:
    """create, index, update and delete in one request; the answered ids are the events' ids."""
    first, second = '{"message":"一",  "n": 1}', '{"message":"two"}'
    body = bulk(({"create": {"_index": "x"}}, first), ({"index": {"_id": "own-1"}}, second))
    body += bulk(({"update": {"_id": "1"}}, '{"doc":{}}')) + b'{"delete":{"_id":"1"}}\n'

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running, client(running) as http:
            answer = await http.post("/logs/_bulk", content=body)
            said = answer.json()
            kinds = [next(iter(item.items())) for item in said["items"]]
            assert [(kind, told["status"]) for kind, told in kinds] == [
                ("create", 201),
                ("index", 201),
                ("update", 400),
                ("delete", 400),
            ]
            assert said["errors"] is True
            assert kinds[0][1]["_index"] == "x"
            assert kinds[1][1]["_index"] == "logs"
            rows = running.spooled()
            assert [row["payload"].decode() for row in rows] == [first, second]
            assert rows[0]["event.id"] == kinds[0][1]["_id"]
            assert rows[1]["event.id"] == digest("b", "own-1")
            assert answer.headers["X-Elastic-Product"] == "Elasticsearch"

    asyncio.run(work())


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("Bearer", 401),
        ("Digest " + TOKEN, 401),
        ("Basic " + base64.b64encode(b"user:wrong").decode(), 401),
        ("Basic %%%", 401),
        ("Bearer " + TOKEN, 200),
        ("ApiKey " + TOKEN, 200),
        ("ApiKey " + base64.b64encode(f"id:{TOKEN}".encode()).decode(), 200),
        ("Basic " + base64.b64encode(f"anyone:{TOKEN}".encode()).decode(), 200),
    ],
)
def test_only_who_has_the_token_may_send(
    tmp_path: Path, listener: dict[str, Any], header: str | None, status: int
) -> None:
    """Every scheme that shippers use; a refused body, even a large one, is not spooled."""
    body = bulk(*[({"create": {}}, '{"message":"' + "x" * 1000 + '"}')] * 500)

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running:
            headers = {"Authorization": header} if header else {}
            async with client(running, headers=headers) as http:
                answer = await http.post("/_bulk", content=body)
            assert answer.status_code == status
            assert len(running.spooled()) == (500 if status == 200 else 0)
            if status == 401:
                assert "Basic" in answer.headers["WWW-Authenticate"]
                assert running.errors("b")["unauthorised"] == 1

    asyncio.run(work())


def test_tokens_and_names_choose_the_origin(
    tmp_path: Path, listener: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender's token reaches only that sender; the listener's token reaches those that have none."""
    monkeypatch.setenv("HINOMI_M", "m365-token")
    senders = {"m365": {"token": "env:HINOMI_M", "source": "microsoft.m365_audit"}, "dc01": {}}
    one = bulk(({"create": {}}, "{}"))

    async def work() -> None:
        async with intake(tmp_path, b={**listener, "senders": senders}) as running:
            async with client(running) as http:
                await http.post("/_bulk", content=one)
                await http.post("/dc01/_bulk", content=one)
                await http.post("/m365/_bulk", content=one)
                assert (await http.post("/ingest/dc01", content=b"line 1\r\nline 2\n\n")).json() == {
                    "accepted": 2
                }
                assert (await http.post("/ingest/m365", content=b"x")).status_code == 404
            async with client(running, headers={"Authorization": "Bearer m365-token"}) as http:
                await http.post("/_bulk", content=one)
                await http.post("/dc01/_bulk", content=one)
            found = [row["origin"] for row in running.spooled()]
            assert found == ["b", "dc01", "b", "dc01", "dc01", "m365", "m365"]

    asyncio.run(work())


def test_a_renewed_token_counts_without_a_restart(
    tmp_path: Path, listener: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one is let in and the old one refused, a sender's own as well; a file that is empty, gone or no text changes
    nothing; the connection stays."""
    monkeypatch.setattr(tokens, "_LOOKED_EVERY", 0.0)
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.write_text("old-shared\n")
    own.write_text("old-own\n")
    told = {"kind": "http", "token": f"file:{shared}", "senders": {"hq": {"token": f"file:{own}"}}}

    async def work() -> None:
        async with intake(tmp_path / "data", b=told) as running, client(running, headers={}) as http:

            async def let_in(token: str) -> bool:
                answer = await http.post(
                    "/_bulk",
                    content=bulk(({"create": {}}, '{"message":"x"}')),
                    headers={"Authorization": f"Bearer {token}".strip()},
                )
                return answer.status_code == 200

            assert await let_in("old-shared") and await let_in("old-own") and not await let_in("new-own")
            own.write_text("new-own\n")
            assert await let_in("new-own") and not await let_in("old-own") and await let_in("old-shared")
            for broken in (b"", b"\n", b"\xff\xfe"):
                shared.write_bytes(broken)
                assert await let_in("old-shared") and not await let_in("")
            shared.unlink()
            assert await let_in("old-shared")
            shared.write_text("new-shared\n")
            assert await let_in("new-shared") and not await let_in("old-shared")

    asyncio.run(work())


def test_a_token_that_becomes_readable_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put there by root, then given to us: only its change time tells. Refused until then, and told once."""
    monkeypatch.setattr(tokens, "_LOOKED_EVERY", 0.0)
    held, new = tmp_path / "token", tmp_path / "new"
    reveal = Secret.reveal

    def ours(secret: Secret) -> str:
        """Root, who may run this test, can read everything."""
        if held.stat().st_mode & 0o777 == 0:
            raise ConfigError("読めません。", "cannot be read")
        return reveal(secret)

    monkeypatch.setattr(Secret, "reveal", ours)
    held.write_text("old\n")
    new.write_text("new\n")
    current = tokens.CurrentTokens("b", Listener.model_validate({"kind": "http", "token": f"file:{held}"}))
    new.chmod(0)
    new.rename(held)
    with capture_logs() as said:
        assert current.grant(b"Bearer old") and not current.grant(b"Bearer new")
    assert [one["event"] for one in said] == ["token_not_renewed"]
    before = held.stat().st_ctime_ns
    while held.stat().st_ctime_ns == before:  # the file system's clock goes in steps of some milliseconds
        held.chmod(0o640)
    assert current.grant(b"Bearer new") and not current.grant(b"Bearer old")


def test_an_empty_token_is_refused_at_the_start(tmp_path: Path) -> None:
    """It would let nobody in."""
    (tmp_path / "empty").write_text("\n")
    told = Listener.model_validate({"kind": "http", "token": f"file:{tmp_path / 'empty'}"})
    with pytest.raises(ConfigError, match="is empty"):
        tokens.CurrentTokens("b", told)


def test_without_a_token_only_loopback_may_be_configured() -> None:
    """An intake open to the network without a token is refused when the configuration is read."""
    Listener.model_validate({"kind": "http", "address": "127.0.0.1"})
    with pytest.raises(ValidationError, match="トークンなし"):
        Listener.model_validate({"kind": "http"})
    with pytest.raises(ValidationError, match="トークンなし"):
        Listener.model_validate({"kind": "http", "senders": {"a": {}}})


def test_gzip_is_understood_and_bombs_are_refused(tmp_path: Path, listener: dict[str, Any]) -> None:
    """A compressed body is taken; one that grows over the limit is 413; a broken one 400; others go on."""
    good = bulk(*[({"create": {}}, '{"a":1}')] * 1000)
    packed = {"Content-Encoding": "gzip"}

    async def work() -> None:
        async with intake(tmp_path, b={**listener, "max_body": MIB}) as running, client(running) as http:
            cases = [
                (gzip.compress(good), packed, 200),
                (gzip.compress(good[: len(good) // 2 // 24 * 24]) + gzip.compress(b"\n"), packed, 200),
                (gzip.compress(b"\0" * (300 * MIB), 1), packed, 413),
                (b"x" * (2 * MIB), {}, 413),
                (gzip.compress(good)[:-9], packed, 400),
                (b"no gzip at all", packed, 400),
                (b"x", {"Content-Encoding": "br"}, 415),
                (b"\n" * MIB, {}, 400),
            ]
            for content, headers, status in cases:
                answer = await http.post("/_bulk", content=content, headers=headers)
                assert (answer.status_code, status) == (status, status), answer.text
                assert answer.json().get("status", 200) == status
            assert (await http.post("/_bulk", content=good)).status_code == 200

    asyncio.run(work())


async def chunked(parts: list[bytes]) -> Any:
    for part in parts:
        yield part
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"create":{}}\n', 400),
        (b"not json\n{}\n", 400),
        (b'{"create":{},"index":{}}\n{}\n', 400),
        (b'{"create":[]}\n{}\n', 400),
        (b"[]\n{}\n", 400),
        (b'{"drop":{}}\n{}\n', 400),
        (b"[" * 100_000 + b"\n{}\n", 400),
        (b'{"create":' + b"[" * 5000 + b"\n{}\n", 400),
        (b"", 200),
        (
            b'{"create":{}}\n' + b"[" * 200_000 + b"\n",
            200,
        ),  # a bad document is kept whole: a dead letter later
        (b'{"create":{}}\r\n{"a":1}\r\n', 200),
    ],
)
def test_bodies_that_are_no_bulk_are_refused_in_words(
    tmp_path: Path, listener: dict[str, Any], body: bytes, status: int
) -> None:
    """Broken actions, nesting bombs, empty bodies, sent in chunks: an answer, never a broken connection."""

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running, client(running) as http:
            answer = await http.post("/_bulk", content=chunked([body[:7], body[7:]]))
            assert answer.status_code == status, answer.text
            assert isinstance(answer.json(), dict)
            assert (await http.get("/")).status_code == 200

    asyncio.run(work())


def test_a_full_spool_is_429_and_the_retry_is_taken_once(tmp_path: Path, listener: dict[str, Any]) -> None:
    """Nothing of a refused request is kept; after room was made the same request goes through."""

    def body(n: int) -> bytes:
        return bulk(({"create": {"_id": f"id-{n}"}}, json.dumps({"m": os.urandom(200_000).hex()})))

    async def work() -> None:
        async with intake(tmp_path, max_bytes=4 * MIB, b=listener) as running, client(running) as http:
            taken = 0
            while (answer := await http.post("/_bulk", content=body(taken))).status_code == 200:
                taken += 1
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) > 0
            assert running.errors("b")["spool_full"] == 1
            assert [row["client_id"] for row in running.spooled()] == [f"id-{n}" for n in range(taken)]
            running.trim()
            await asyncio.sleep(0.15)
            assert (await http.post("/_bulk", content=body(taken))).status_code == 200
            assert len(running.spooled()) == taken + 1

    asyncio.run(work())


async def raw(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What the server answers until it closes; it may close before everything was sent.

    b"reset": it closed with bytes of ours unread, and TCP threw its answer away (RFC 1122, 4.2.2.13).
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    for piece in pieces:
        if not answer.done():
            writer.write(piece)
            await asyncio.sleep(pause)
    async with asyncio.timeout(10):
        try:
            got = await answer
        except ConnectionResetError:
            got = b"reset"
    writer.close()
    return got


def test_slow_and_broken_clients_are_cut_off(tmp_path: Path, listener: dict[str, Any]) -> None:
    """A head that drips (slowloris), a body that stops, no HTTP, a giant head: bounded in time, others served."""
    head = f"POST /_bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()

    async def work() -> None:
        async with intake(tmp_path, b={**listener, "stall": 0.4}) as running, client(running) as http:
            port = running.port("b")
            dripped, stopped, garbage, giant = await asyncio.gather(
                raw(port, *(head[n : n + 1] for n in range(10)), pause=0.1),
                raw(port, head + b'Content-Length: 100\r\n\r\n{"create'),
                raw(port, b"\x16\x03\x01 no http\r\n\r\n"),
                raw(port, head + b"X: " + b"a" * 400_000),
            )
            # one that goes on sending after the answer can lose it to the reset that its own bytes provoke
            assert dripped.startswith((b"HTTP/1.1 408", b"reset"))
            assert stopped.startswith(b"HTTP/1.1 408")
            assert garbage.startswith(b"HTTP/1.1 400")
            assert giant.startswith((b"HTTP/1.1 431", b"reset"))
            assert (await http.get("/")).status_code == 200
            await running.until(lambda: running.health.listeners["b"].connections == 1)
            assert running.spooled() == []

    asyncio.run(work())


def test_expect_continue_and_keep_alive(tmp_path: Path, listener: dict[str, Any]) -> None:
    """curl's 100-continue is answered; two pipelined requests on one connection are both served in order."""
    one = bulk(({"create": {}}, '{"n":1}'))
    head = (
        f"POST /_bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(one)}\r\n"
    )

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port("b"))
            writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
            async with asyncio.timeout(10):
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
                writer.write(one + f"{head}Connection: close\r\n\r\n".encode() + one)
                assert (await reader.read()).count(b"HTTP/1.1 200") == 2
            writer.close()
            assert len(running.spooled()) == 2

    asyncio.run(work())


def test_requests_during_the_stop_are_finished_or_told_to_come_again(
    tmp_path: Path, listener: dict[str, Any]
) -> None:
    """What was answered with 200 is spooled; later requests on open connections get 503."""

    async def work() -> None:
        statuses: list[int] = []

        async def sender(http: httpx.AsyncClient, n: int) -> None:
            for i in range(2000):
                body = bulk(({"create": {"_id": f"{n}-{i}"}}, "{}"))
                try:
                    answer = await http.post("/_bulk", content=body)
                except httpx.HTTPError:
                    return
                statuses.append(answer.status_code)
                if answer.status_code != 200:
                    return

        async with intake(tmp_path, b=listener) as running, client(running) as http:
            tasks = [asyncio.create_task(sender(http, n)) for n in range(4)]
            await running.until(lambda: statuses.count(200) > 40)
            running.stop.set()
            await asyncio.gather(*tasks)
            ids = [row["client_id"] for row in running.spooled()]
        assert statuses.count(200) <= len(ids) <= statuses.count(200) + 4
        assert len(set(ids)) == len(ids)
        assert set(statuses) <= {200, 503}

    asyncio.run(work())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/_license", 200),
        ("GET", "/_xpack", 200),
        ("GET", "/_cat/indices", 200),
        ("GET", "/_cluster/health", 200),
        ("HEAD", "/_index_template/winlogbeat-8.17.0", 200),
        ("GET", "/_ilm/policy/filebeat", 200),
        ("PUT", "/_index_template/fluent-bit", 200),
        ("HEAD", "/some-index", 200),
        ("PUT", "/some-index", 200),
        ("GET", "/some-index/_search", 404),
        ("DELETE", "/some-index", 405),
    ],
)
def test_probes_of_shippers_are_answered(
    tmp_path: Path, listener: dict[str, Any], method: str, path: str, status: int
) -> None:
    """What Beats, Fluent Bit and Vector ask before they send; reading and deleting is not offered."""

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running, client(running) as http:
            answer = await http.request(method, path, json={} if method == "PUT" else None)
            assert answer.status_code == status
            assert "connection" not in answer.headers

    asyncio.run(work())


def test_the_official_client_is_content(tmp_path: Path, listener: dict[str, Any]) -> None:
    """elasticsearch-py checks the product, compresses, indexes one document and helps with bulks."""

    def ship(port: int) -> None:
        with Elasticsearch(f"http://127.0.0.1:{port}", basic_auth=("beats", TOKEN), http_compress=True) as es:
            assert es.info()["version"]["number"].startswith("8.")
            assert es.index(index="x", id="single", document={"message": "単独"})["result"] == "created"
            actions = [{"_op_type": "create", "_index": "x", "n": n} for n in range(700)]
            assert helpers.bulk(es, actions, chunk_size=200) == (700, [])

    async def work() -> None:
        async with intake(tmp_path, b=listener) as running:
            await asyncio.to_thread(ship, running.port("b"))
            rows = running.spooled()
            assert json.loads(rows[0]["payload"]) == {"message": "単独"}
            assert [json.loads(row["payload"])["n"] for row in rows[1:]] == list(range(700))

    asyncio.run(work())


def test_https_takes_only_tls(tmp_path: Path, listener: dict[str, Any]) -> None:
    """With a certificate the listener speaks HTTPS; a plain request is refused."""
    files = make(tmp_path / "pem")

    async def work() -> None:
        keys = {**listener, "cert": files["cert"], "key": files["key"]}
        async with intake(tmp_path / "spool", b=keys) as running:
            context = ssl.create_default_context(cafile=files["ca"])
            base = f"https://127.0.0.1:{running.port('b')}"
            async with httpx.AsyncClient(base_url=base, verify=context, headers=BEARER) as http:
                answer = await http.post("/_bulk", content=bulk(({"create": {}}, "{}")))
                assert answer.status_code == 200
            async with client(running) as plain:
                with pytest.raises(httpx.HTTPError):
                    await plain.get("/")
            assert len(running.spooled()) == 1

    asyncio.run(work())
