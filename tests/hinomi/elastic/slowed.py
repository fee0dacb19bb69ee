"""A slow way to a real cluster: each request waits before it is handed on, and its answer may be lost."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.settings import ElasticSettings
from tests import elastic

Delay = Callable[[str, str], float]
_HANDED_ON = ("content-type", "content-encoding", "x-elastic-product")


@dataclass
class Slowed:
    """delay: seconds that a request (method, path) waits; lost: whether the answer of the n-th request never comes."""

    delay: Delay = lambda method, path: 0.0
    lost: Callable[[int], bool] = lambda number: False
    asked: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def records(self, namespace: str, *, answer: float) -> ElasticRecords:
        """Records over this way, each request of which gives up after so many seconds."""
        client = connect(ElasticSettings(hosts=[self.url]), timeout=answer)
        return ElasticRecords(client, namespace, patience=0.0)


@contextlib.contextmanager
def slowed() -> Iterator[Slowed]:
    """A way of its own to the tests' cluster."""
    there = elastic.running()
    user, way = there.administrator, Slowed()
    to = httpx.Client(
        base_url=there.hosts()[0],
        auth=(user.name, user.password),
        verify=_trusting(str(there.ca)),
        timeout=60,
    )

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            way.asked += 1
            number, body = way.asked, self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if way.ended.wait(way.delay(self.command, self.path)):
                return
            headers = {
                name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers
            }
            if "Content-Encoding" in self.headers:
                headers["Content-Encoding"] = self.headers["Content-Encoding"]
            answer = to.request(self.command, self.path, content=body, headers=headers)
            if way.lost(number):
                way.ended.wait(30)
                return
            with contextlib.suppress(OSError):  # who asked may have given up
                self._answer(answer)

        def _answer(self, answer: httpx.Response) -> None:
            self.send_response(answer.status_code)
            for name in ("content-type", "x-elastic-product"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    way.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield way
    finally:
        way.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
        to.close()


def _trusting(ca: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=ca)


def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Poll until it holds; the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not in {seconds} s: {what}"
        time.sleep(0.005)
    return time.monotonic() - began
