"""What a cluster that is not there, or knows no such user, is told as: in words that say what to look at."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hinomi.errors import QueryError, StoreError
from hinomi.store.elastic.asking import Asking
from hinomi.store.elastic.connection import connect, said
from hinomi.store.elastic.settings import ElasticSettings
from ops.ports import free_ports


class _Refusing(BaseHTTPRequestHandler):
    """As Elasticsearch 8 answers a wrong password, or a search that is too intricate."""

    def do_GET(self) -> None:
        reason = "unable to authenticate user [hinomi] for REST request [/_cluster/health]"
        self._answer(401, {"type": "security_exception", "reason": reason})

    def do_POST(self) -> None:
        """A question that it quotes before it says what is wrong with it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        reason = f"Failed to parse query [{'x' * 400}]: Determinizing automaton would require more than 10000 effort"
        self._answer(400, {"type": "query_shard_exception", "reason": reason})

    def _answer(self, status: int, cause: dict[str, str]) -> None:
        body = json.dumps({"error": {"root_cause": [cause]}, "status": status}).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


@pytest.fixture
def refusing() -> Iterator[int]:
    """The port of a node that lets nobody in."""
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


def _told(host: str) -> str:
    with (
        closing(connect(ElasticSettings(hosts=[host]))) as client,
        pytest.raises(StoreError) as caught,
        said("保管庫を開けません", "the store cannot be opened"),
    ):
        client.cluster.health()
    return str(caught.value)


def test_a_wrong_password_names_what_to_look_at(refusing: int) -> None:
    """The keys of the configuration, not the cluster's own English inside the Japanese sentence."""
    told = _told(f"http://127.0.0.1:{refusing}")
    assert told.startswith("保管庫を開けません(サインインできません。store.elasticsearch の user と password")
    assert "unable to authenticate" not in told


def test_what_is_too_intricate_is_the_question_s_fault_however_long_it_is(refusing: int) -> None:
    """The words that tell it stand behind all that a person is shown of the answer."""
    with (
        closing(connect(ElasticSettings(hosts=[f"http://127.0.0.1:{refusing}"]))) as client,
        pytest.raises(QueryError, match="too intricate"),
    ):
        Asking(client, "default").count((), {"match_all": {}})


def test_nobody_there_and_no_tls_there(refusing: int) -> None:
    """No connection is said so; a node without TLS where the configuration says https names hosts and ca."""
    nobody = _told(f"http://127.0.0.1:{free_ports(1)[0]}")
    assert (
        "つながりません" in nobody
        and "store.elasticsearch.hosts" in nobody
        and "ConnectionError" not in nobody
    )
    plain = _told(f"https://127.0.0.1:{refusing}")
    assert "TLS" in plain and "hosts と ca" in plain
