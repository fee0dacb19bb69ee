"""The catalogue: sources by being in the folder, names that are nearly right, samples that could be two."""

import time

import polars as pl
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


def test_a_lease_with_its_duration_is_infobloxs() -> None:
    """ISC's server, which Infoblox's is made of, writes neither a duration nor a transaction: such lines fit one source."""
    line = "<30>Nov 20 03:20:00 ddi01 dhcpd[33]: DHCPACK on 10.30.8.20 to 02:00:5e:10:00:03 (pc-042) via eth1"
    assert catalogue.recognise([line] * 5) == "isc.dhcpd"
    assert catalogue.recognise([f"{line} lease-duration 3600 (RENEW)"] * 5) == "infoblox.ddi"


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


@pytest.mark.parametrize(
    "repeated",
    [
        '"awsRegion":',
        '"category":"AuditLogs",',
        'msg="',
        "(",
        '"a":{"',
        "<14>Nov 20 12:14:05 esx01 Hostd: ",
        "a b ",
    ],
)
def test_recognition_of_a_long_line_takes_its_time_once(repeated: str) -> None:
    """Nobody is known yet when a line is recognised: no sender can hold up the tower with one."""
    line = repeated * (1_000_000 // len(repeated))
    start = time.process_time()
    catalogue.recognise([line])
    assert time.process_time() - start < 5


def test_several_patterns_must_all_fit_and_the_unlike_must_not() -> None:
    """What Python writes with looking around, in an engine that is linear in the line."""
    source = Source(
        name="a.b", title={"ja": "a", "en": "a"}, shape=lines("."), recognise=("x=1", "y=2"), unlike="z"
    )
    assert source.recognised(pl.Series(["y=2 x=1", "x=1", "x=1 y=2 z", None])) == 1
    assert not source.recognises("y=2")


@pytest.mark.parametrize("line", ["\ufeffGW1 hello", "120 <13>GW1 hello", "GW1 hello\r\n"])
def test_what_is_read_is_recognised(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte order mark or a count of octets, which reading takes off a line, hides no product."""
    one = _source("acme.gateway", r"^(?:<\d+>)?GW\d [a-z]+$")
    monkeypatch.setattr(catalogue, "sources", lambda: {one.name: one})
    assert catalogue.recognise([line]) == "acme.gateway"
