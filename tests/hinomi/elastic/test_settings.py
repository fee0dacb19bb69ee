"""How a cluster is reached, as a person writes it: what cannot be is said before anything is asked."""

import base64
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hinomi.config import load
from hinomi.errors import ConfigError, InputError
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import too_old
from hinomi.store.elastic.settings import ElasticSettings
from ops.settings import Settings
from tests.responders.peers.served import served


@pytest.mark.parametrize("host", ["es1", "es1:9200", "https://es1", "ftp://es1:21", "https://:9200"])
def test_an_address_without_all_its_parts_is_named(tmp_path: Path, host: str) -> None:
    """The client needs scheme, host and port, and would say so in its own words."""
    path = tmp_path / "hinomi.yaml"
    path.write_text(f"store:\n  kind: elasticsearch\n  elasticsearch:\n    hosts: ['{host}']\n")
    with pytest.raises(ConfigError, match=r"hinomi.yaml:4: store.elasticsearch.hosts: 「.*https:"):
        load(path, Settings)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_an_authority_that_is_none_is_named(tmp_path: Path, text: str | None) -> None:
    """Else the client says of a node that is there that it does not answer."""
    ca = tmp_path / "ca.pem"
    if text is not None:
        ca.write_text(text)
    with pytest.raises(InputError, match=r"ca.pem"):
        connect(ElasticSettings(hosts=["https://127.0.0.1:9200"], ca=ca))


@pytest.mark.parametrize("form", ["id:key", "encoded"])
def test_an_api_key_signs_in_in_both_forms(tmp_path: Path, form: str) -> None:
    """As `id:key` and as the one encoded word, both of which Elasticsearch gives who makes a key: what arrives is the same
    ("Token-based authentication services": `Authorization: ApiKey base64(id:key)`). The build of the tests makes no keys itself."""
    came: list[str] = []

    async def info(request: Request) -> JSONResponse:
        came.append(request.headers["authorization"])
        return JSONResponse({"version": {"number": "8.19.8"}}, headers={"X-Elastic-Product": "Elasticsearch"})

    encoded = base64.b64encode(b"id:key").decode()
    secret = tmp_path / "key"
    secret.write_text("id:key" if form == "id:key" else encoded, encoding="utf-8")
    with served(Starlette(routes=[Route("/", info)]), tmp_path) as there:
        settings = {"hosts": [there.url], "ca": str(there.ca), "api_key": f"file:{secret}"}
        connect(ElasticSettings.model_validate(settings)).info()
    assert came == [f"ApiKey {encoded}"]


def test_the_least_release_is_told() -> None:
    """A node without `ignore_dynamic_beyond_limit` would let a hostile log make an index refuse events."""
    found = {
        version: too_old(version)
        for version in ("7.17.9", "8.12.2", "8.13.0", "8.19.8", "9.1.0", "10.0.0-SNAPSHOT")
    }
    assert [version for version, old in found.items() if old] == ["7.17.9", "8.12.2"]
