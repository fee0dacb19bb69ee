"""How a cluster is reached, and what its refusals mean to a person."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import elastic_transport
from elastic_transport import HttpHeaders, NodeConfig, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, Elasticsearch

from hinomi import trust
from hinomi.errors import StoreError
from hinomi.store.elastic.settings import ElasticSettings
from hinomi.words import Words, words

_WORTH = 1_000  # bytes: a smaller body is sent as it is


class QuickGzipNode(Urllib3HttpNode):
    """Compresses bodies at gzip's quickest level: the client's own, the slowest, takes more processor time than all
    the rest of writing."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._http_compress = False

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        """As the client's own node."""
        if body is not None and len(body) >= _WORTH:
            body = gzip.compress(body, 1)
            headers = HttpHeaders({**(headers or {}), "content-encoding": "gzip"})
        return super().perform_request(method, target, body, headers, request_timeout)


def connect(settings: ElasticSettings, *, timeout: float | None = None) -> Elasticsearch:
    """A client; nothing is asked yet. Its retries are our own: none are made unseen. timeout: instead of the settings'.
    Raises ConfigError where the authority's file is none: the client would only say that nobody answers."""
    if settings.ca is not None:
        trust.context(settings.ca)
    password = settings.password.reveal() if settings.password else ""
    trusted: dict[str, Any] = {"ca_certs": str(settings.ca)} if settings.ca else {}
    return Elasticsearch(
        settings.hosts,
        **trusted,
        basic_auth=(settings.user, password) if settings.user else None,
        api_key=_key(settings.api_key.reveal()) if settings.api_key else None,
        request_timeout=timeout or settings.timeout,
        max_retries=0,
        retry_on_timeout=False,
        http_compress=True,
        node_class=QuickGzipNode,
    )


def _key(text: str) -> str | tuple[str, str]:
    """The key in either of the forms that Elasticsearch gives it in: `id:key`, or both encoded as one word."""
    name, colon, key = text.partition(":")
    return (name, key) if colon else text


LATER = frozenset({408, 429, 502, 503, 504})
"""Answers after which asking again can help: the cluster is busy, or a shard is just moving or starting."""
PATIENCE = 10.0
_Answer = TypeVar("_Answer")


def patiently(call: Callable[[], _Answer], patience: float = PATIENCE) -> _Answer:
    """What the call gives; asked again, ever more slowly, while the cluster cannot answer. The last error is raised."""
    end, pause = time.monotonic() + patience, 0.05
    while True:
        try:
            return call()
        except ApiError as error:
            if error.status_code not in LATER or time.monotonic() + pause > end:
                raise
        except elastic_transport.TransportError:
            if time.monotonic() + pause > end:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


@contextmanager
def said(ja: str, en: str, *, but: type[ApiError] | tuple[()] = ()) -> Iterator[None]:
    """What the cluster refuses, or that it does not answer, as a StoreError; ja, en: what was being done; but: the one
    refusal that is the caller's own matter."""
    try:
        yield
    except but:
        raise
    except ApiError as error:
        reason = _NOT_KNOWN if error.status_code == 401 else words(_reason(error))
        raise StoreError(f"{ja}({reason.ja})。", f"{en}: {reason.en}") from error
    except elastic_transport.TransportError as error:
        why = next((said_so for kind, said_so in _SILENT if isinstance(error, kind)), _UNCLEAR)
        raise StoreError(
            f"{ja}。Elasticsearch が応答しません({why.ja})。",
            f"{en}: Elasticsearch does not answer ({why.en})",
        ) from error


_SILENT = (
    (
        elastic_transport.TlsError,
        Words(
            "TLS の証明書を確かめられません。store.elasticsearch の hosts と ca を見てください",
            "its TLS certificate cannot be verified; see hosts and ca of store.elasticsearch",
        ),
    ),
    (
        elastic_transport.ConnectionTimeout,
        Words("時間内に答えがありません", "no answer in time"),
    ),
    (
        elastic_transport.ConnectionError,
        Words(
            "つながりません。動いているか、store.elasticsearch.hosts が正しいかを確かめてください",
            "no connection; see whether it runs and whether store.elasticsearch.hosts is right",
        ),
    ),
)
_UNCLEAR = Words("答えを読めません", "its answer cannot be read")
_NOT_KNOWN = Words(
    "サインインできません。store.elasticsearch の user と password、または api_key を確かめてください",
    "it does not let us sign in; see user and password, or api_key, of store.elasticsearch",
)


def _reason(error: ApiError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    found = body.get("error")
    if isinstance(found, dict):
        causes = found.get("root_cause") or [found]
        said_so = (
            causes[0].get("reason") or found.get("reason") or found.get("type") or f"HTTP {error.status_code}"
        )
        return " ".join(str(said_so).split())[:300]
    return f"HTTP {error.status_code}"
