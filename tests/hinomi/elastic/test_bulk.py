"""The bulk writer against a local server that answers as Elasticsearch's documentation says a busy one does.

What a real server answers is tested in `test_bulk_real.py`; here are the answers that a real one gives only under load.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hinomi.errors import StoreError
from hinomi.store.elastic.bulk import TOO_LARGE, Bulk, Item
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.pace import CONNECTIONS, MOST
from hinomi.store.elastic.settings import ElasticSettings

Answer = tuple[int, Any]
Decide = Callable[[list[str], int], Answer]


class Busy:
    """A server: `decide(ids, number of the request)` gives the status and each item's status."""

    def __init__(self, decide: Decide) -> None:
        self.requests: list[list[str]] = []
        self.packed = 0
        lock, outer = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    outer.packed += 1
                    body = gzip.decompress(body)
                ids = [json.loads(line)["create"]["_id"] for line in body.splitlines()[::2]]
                with lock:
                    outer.requests.append(ids)
                    number = len(outer.requests)
                status, items = decide(ids, number)
                answer = json.dumps(items).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Elastic-Product", "Elasticsearch")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bulk(self, patience: float = 10.0) -> Bulk:
        settings = ElasticSettings(hosts=[f"http://127.0.0.1:{self.server.server_address[1]}"])
        return Bulk(connect(settings), patience)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Decide], Busy]]:
    made: list[Busy] = []

    def start(decide: Decide) -> Busy:
        made.append(Busy(decide))
        return made[-1]

    yield start
    for one in made:
        one.close()


def told(statuses: list[int], kind: str = "es_rejected_execution_exception") -> dict[str, Any]:
    """The answer's items with these statuses."""
    return {
        "items": [
            {
                "create": {
                    "status": status,
                    **({"error": {"type": kind, "reason": "why"}} if status in {403, 429} else {}),
                }
            }
            for status in statuses
        ]
    }


def items(n: int, size: int = 100) -> Iterator[Item]:
    """n documents of a size."""
    return (Item("logs-x-t-2026.11.20", f"i{number}", b'{"a":"%s"}' % (b"x" * size)) for number in range(n))


def test_only_refused_items_are_sent_again(serve: Callable[[Decide], Busy]) -> None:
    """Of a portion every third item is pushed back once: just these come again, each is stored once."""
    there = serve(
        lambda ids, n: (200, told([429 if n == 1 and k % 3 == 0 else 201 for k in range(len(ids))]))
    )
    outcome = there.bulk().send(items(90))
    assert outcome.stored == 90 and not outcome.refused
    assert [len(ids) for ids in there.requests] == [90, 30]
    assert there.requests[1] == [f"i{n}" for n in range(0, 90, 3)]
    assert there.packed == 2


def test_a_whole_429_shrinks_portions_and_loses_nothing(serve: Callable[[Decide], Busy]) -> None:
    """Requests pushed back whole are sent again in smaller portions until all are stored."""
    there = serve(lambda ids, n: (429, {"error": {"type": "x"}}) if n <= 2 else (200, told([201] * len(ids))))
    bulk = there.bulk()
    assert bulk.send(items(3_000, 1_000)).stored == 3_000
    assert bulk.pace.pushed_back == 2
    assert {i for ids in there.requests for i in ids} == {f"i{n}" for n in range(3_000)}


def test_a_document_beyond_any_request_is_given_back(serve: Callable[[Decide], Busy]) -> None:
    """413 cuts portions down; a single document that is too large is refused with its reason, not tried for ever."""
    there = serve(lambda ids, n: (413, {}) if "i3" in ids else (200, told([201] * len(ids))))
    outcome = there.bulk().send(items(8, 300_000))
    assert outcome.stored == 7
    assert [(item.id, why) for item, why in outcome.refused] == [("i3", TOO_LARGE)]


def test_one_document_that_spoils_its_request_is_found(serve: Callable[[Decide], Busy]) -> None:
    """A request refused whole because of one document's id: halves find it, all others are stored, it is given back."""
    error = {"error": {"type": "action_request_validation_exception", "reason": "id is too long"}}
    there = serve(lambda ids, n: (400, error) if "i77" in ids else (200, told([201] * len(ids))))
    outcome = there.bulk().send(items(100))
    assert outcome.stored == 99 and [item.id for item, _ in outcome.refused] == ["i77"]
    assert "action_request_validation_exception" in outcome.refused[0][1]
    assert len(there.requests) < 20


def test_what_lies_in_the_cluster_is_no_fault_of_the_document(serve: Callable[[Decide], Busy]) -> None:
    """A missing right or a full cluster is not a dead letter: the writer gives up in time and says the reason."""
    for kind in ("cluster_block_exception", "validation_exception"):
        there = serve(lambda ids, _, kind=kind: (200, told([403] * len(ids), kind)))
        with pytest.raises(StoreError, match=kind):
            there.bulk(patience=0.3).send(items(5))


def test_who_has_not_the_right_is_told_so_at_once(serve: Callable[[Decide], Busy]) -> None:
    """Nobody waits for a right that the account does not have: one request, and words that name the remedy."""
    there = serve(lambda ids, _: (200, told([201] + [403] * (len(ids) - 1), "security_exception")))
    with pytest.raises(StoreError, match="hinomi store roles"):
        there.bulk(patience=60).send(items(5))
    assert len(there.requests) == 1


def test_memory_is_bounded_by_what_is_under_way(serve: Callable[[Decide], Busy]) -> None:
    """Documents are made only as they are sent: never more of them exist than the connections may carry."""
    made = settled = most = 0

    def source() -> Iterator[Item]:
        nonlocal made, most
        for item in items(1_500, 100_000):
            made += len(item.body)
            most = max(most, made - settled)
            yield item

    def decide(ids: list[str], _: int) -> Answer:
        nonlocal settled
        settled += 100_000 * len(ids)
        return 200, told([201] * len(ids))

    assert serve(decide).bulk().send(source()).stored == 1_500
    assert most <= (MOST + 200_000) * (CONNECTIONS + 1)
