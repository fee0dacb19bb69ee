"""How a cluster is reached, as a person writes it: what cannot be is said before anything is asked."""

from pathlib import Path

import pytest

from hinomi.config import load
from hinomi.errors import ConfigError, InputError
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.settings import ElasticSettings
from ops.settings import Settings


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
