"""A certificate and key that are replaced while a server runs are shown to the next connection; what cannot be used is not."""

import asyncio
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography.x509 import load_der_x509_certificate
from structlog.testing import capture_logs

from dashboards.settings import ConsoleSettings
from hinomi.errors import ConfigError
from hinomi.served import Served
from ops.roles.console import tls
from tests.collectors.transports.certificates import make
from tests.collectors.transports.intake import intake


def shown(port: int, client: dict[str, Path] | None = None) -> int:
    """The serial number of the certificate that a client without a name sees. client: whose own it brings."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client:
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # there a refusal comes with the handshake
        context.load_cert_chain(client["client_cert"], client["client_key"])
    with socket.create_connection(("127.0.0.1", port), 20) as plain, context.wrap_socket(plain) as one:
        return load_der_x509_certificate(one.getpeercert(True) or b"").serial_number


def put(files: dict[str, Path], new: dict[str, Path], *names: str) -> None:
    """Replace files as a renewal does: written beside, then renamed."""
    for name in names:
        aside = files[name].with_suffix(".new")
        shutil.copy(new[name], aside)
        aside.rename(files[name])


@pytest.mark.parametrize("kind", ["tls", "relp", "lumberjack", "http"])
def test_a_listener_takes_up_a_renewed_certificate(tmp_path: Path, kind: str) -> None:
    """Half of the pair is not taken, and is told; both are, by the very next connection, without a restart."""
    files, new = make(tmp_path / "pem"), make(tmp_path / "new")
    old_one, new_one = (_serial(one["cert"]) for one in (files, new))
    keys: dict[str, Any] = {"kind": kind, "cert": files["cert"], "key": files["key"]}
    if kind == "http":
        (tmp_path / "token").write_text("t" * 32)
        keys["token"] = f"file:{tmp_path}/token"

    async def work() -> None:
        async with intake(tmp_path / "spool", a=keys) as running:
            look: Callable[[], Any] = lambda: asyncio.to_thread(shown, running.port("a"))  # noqa: E731
            assert await look() == old_one
            with capture_logs() as said:
                put(files, new, "cert")
                assert await look() == old_one
                put(files, new, "key")
                assert await look() == new_one
                assert await look() == new_one
            assert [one["event"] for one in said] == ["certificate_not_renewed", "certificate_renewed"]
            assert "組になっていません" in said[0]["reason"]

    asyncio.run(work())


def test_an_authority_is_taken_up_too(tmp_path: Path) -> None:
    """Who signed the clients' certificates has changed: the new clients get in, the old ones no more."""
    files, new = make(tmp_path / "pem"), make(tmp_path / "new")
    old = make(tmp_path / "old")
    put(old, files, "client_cert", "client_key")
    server = {"kind": "tls", "cert": files["cert"], "key": files["key"], "ca": files["ca"]}

    async def came_in(port: int, client: dict[str, Path]) -> bool:
        try:
            await asyncio.to_thread(shown, port, client)
        except (ssl.SSLError, ConnectionError):
            return False
        return True

    async def work() -> None:
        async with intake(tmp_path / "spool", a=server) as running:
            assert [await came_in(running.port("a"), one) for one in (old, new)] == [True, False]
            put(files, new, "ca")
            assert [await came_in(running.port("a"), one) for one in (old, new)] == [False, True]

    asyncio.run(work())


def test_the_console_takes_up_a_renewed_certificate(tmp_path: Path) -> None:
    """Served by the server that serves the console."""
    files, new = make(tmp_path / "pem"), make(tmp_path / "new")
    old_one, new_one = (_serial(one["cert"]) for one in (files, new))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody asks for a page")

    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="critical")
    config.load()
    config.ssl = tls(ConsoleSettings(tls_certificate=files["cert"], tls_key=files["key"]))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        assert shown(port) == old_one
        put(files, new, "cert", "key")
        assert shown(port) == new_one
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize(
    ("change", "ja"),
    [
        (lambda files: files["key"].unlink(), "key.pem: 見つかりません"),
        (lambda files: files["cert"].write_text("x"), "PEM 形式として読めません"),
        (lambda files: shutil.copy(files["client_key"], files["key"]), "組になっていません"),
        (lambda files: files["ca"].write_text("x"), "PEM 形式として読めません"),
    ],
)
def test_what_cannot_be_used_is_told_in_words(
    tmp_path: Path, change: Callable[[dict[str, Path]], object], ja: str
) -> None:
    """Key of the configuration, files and reason; none of OpenSSL's own words."""
    files = make(tmp_path)
    change(files)
    with pytest.raises(ConfigError) as caught:
        Served(files["cert"], files["key"], "listen.a.cert", files["ca"], "listen.a.ca").read()
    assert ja in caught.value.ja and "_ssl.c" not in str(caught.value)
    assert str(caught.value).startswith("listen.a.c")


def _serial(path: Path) -> int:
    return load_der_x509_certificate(ssl.PEM_cert_to_DER_cert(path.read_text())).serial_number
