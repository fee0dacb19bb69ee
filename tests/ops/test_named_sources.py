"""A source that a configuration names wrongly is told before anything starts; the city's own are known."""

from pathlib import Path

from collectors import catalogue
from ops import named_sources
from ops.settings import read_settings

_LISTENERS = """\
sources: {folders: [%s]}
listen:
  fw: {kind: tcp, port: 5514, source: fortinet.fortigat}
  gate: {kind: tcp, port: 5515, source: city.gate}
  any: {kind: tcp, port: 5516}
  bulk:
    kind: http
    port: 5517
    token: env:T
    senders: {web: {token: env:W, source: nginx.wep}}
"""


def _unknown(folder: Path, mapping: str) -> list[tuple[str, str, list[str]]]:
    own = folder / "own"
    own.mkdir()
    (own / "city_gate.source.yml").write_text(mapping, encoding="utf-8")
    config = folder / "hinomi.yaml"
    config.write_text(_LISTENERS % own, encoding="utf-8")
    return list(named_sources.unknown(read_settings(config)))


def test_a_misspelt_source_is_named_with_what_it_may_mean(tmp_path: Path) -> None:
    """A listener's and a sender's; not `auto`, and not a mapping of the city's own."""
    found = _unknown(tmp_path, "source: city.gate\n")
    assert [(key, name, near[0]) for key, name, near in found] == [
        ("listen.fw.source", "fortinet.fortigat", "fortinet.fortigate"),
        ("listen.bulk.senders.web.source", "nginx.wep", "nginx.web"),
    ]


def test_a_mapping_that_cannot_be_read_is_not_held_against_a_listener(tmp_path: Path) -> None:
    """Its name is not known; its own mistake is told when it is taken in, and the other listeners work."""
    assert not _unknown(tmp_path, "source: [city.gate\n")


def test_every_source_is_known_by_its_file() -> None:
    """Or one of them could not be named in a configuration."""
    assert set(catalogue.sources()) <= set(named_sources._shipped())
