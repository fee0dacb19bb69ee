"""The catalogue: sources by being in the folder, names that are nearly right, samples that could be two."""

import pytest

from collectors import catalogue
from collectors.shapes import lines
from collectors.source import Source
from hinomi.errors import ContentError

FORTIGATE = 'date=2026-11-20 time=12:14:05 devid="FGT60F0000000001" logid="0000000013" type="traffic" subtype="forward"'


def _source(name: str, pattern: str) -> Source:
    return Source(name=name, title={"ja": name, "en": name}, shape=lines("."), recognise=pattern)


def test_generic_sources_come_last() -> None:
    """A list that people choose from begins with products."""
    names = list(catalogue.sources())
    generic = [name.startswith("generic.") for name in names]
    assert generic == sorted(generic) and any(generic)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    """The error names what was probably meant."""
    with pytest.raises(ContentError, match=r"fortinet\.fortigate"):
        catalogue.find("fortinet.fortigat")


def test_a_specific_source_wins_over_a_generic_one() -> None:
    """FortiGate lines are key=value, too; a few stray lines do not make them generic."""
    assert catalogue.recognise([FORTIGATE] * 8 + ["a=1 b=2 c=3 d=4"] * 2) == "fortinet.fortigate"


@pytest.mark.parametrize("sample", [[], ["", " "], ["hello"], [FORTIGATE, "x", "y"]])
def test_too_little_that_fits_is_nobodys(sample: list[str]) -> None:
    """Fewer than half of the lines decide nothing."""
    assert catalogue.recognise(sample) is None


def test_a_sample_that_fits_two_products_equally_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice would be pinned: a person must make it."""
    two = {name: _source(name, r"^GW\d ") for name in ("acme.gateway", "other.gateway")}
    monkeypatch.setattr(catalogue, "sources", lambda: two | {"generic.x": _source("generic.x", ".")})
    assert catalogue.recognise(["GW1 hello"]) is None
    assert catalogue.recognise(["GW hello"]) == "generic.x"
