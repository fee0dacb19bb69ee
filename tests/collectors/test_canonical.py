"""One value, one text: whatever a log writes, rules, indicators and correlations compare one form."""

import ipaddress

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from collectors.canonical import canonical

_V6 = st.integers(1 << 48, (1 << 128) - 1).map(ipaddress.IPv6Address)  # below: IPv4 inside


@given(st.lists(_V6, min_size=1, max_size=5))
def test_every_way_to_write_an_address_gives_its_short_form(addresses: list[ipaddress.IPv6Address]) -> None:
    """Written out, in capitals or short, alone or in a list: RFC 5952's form."""
    short = [address.compressed for address in addresses]
    for texts in (short, [one.exploded for one in addresses], [one.exploded.upper() for one in addresses]):
        frame = canonical(pl.DataFrame({"source.ip": texts, "related.ip": [[text] for text in texts]}))
        assert frame["source.ip"].to_list() == short
        assert frame["related.ip"].to_list() == [[one] for one in short]


def test_what_is_no_address_is_no_value_of_an_address_column() -> None:
    """IPv4 stays, broken text becomes null there and stays in other fields, also in the end's own name."""
    frame = pl.DataFrame(
        {
            "source.ip": ["192.0.2.1", None, "0zz:0AA", "999.1.1.1", "fe80::1%eth0", "[2001:db8::1]"],
            "source.address": ["192.0.2.1", None, "0zz:0AA", "pc01", "fe80::1%eth0", ""],
            "message": ["2001:0DB8::1", "b", "c", "", "e", "f"],
            "related.ip": [["192.0.2.1", "x"], ["x"], [], None, ["::1"], ["0:0::1"]],
        }
    )
    assert canonical(frame).to_dict(as_series=False) == {
        "source.ip": ["192.0.2.1", None, None, None, "fe80::1", "2001:db8::1"],
        "source.address": ["192.0.2.1", None, "0zz:0AA", "pc01", "fe80::1", None],
        "message": ["2001:0DB8::1", "b", "c", "", "e", "f"],
        "related.ip": [["192.0.2.1"], None, None, None, ["::1"], ["::1"]],
    }


def test_hardware_addresses_have_one_form() -> None:
    """Colons, hyphens, points or nothing between, in small letters: RFC 7042's; what is none stays."""
    written = ["00:00:5e:00:53:23", "00-00-5E-00-53-23", "0000.5e00.5323", "00005E005323"]
    frame = canonical(pl.DataFrame({"source.mac": [*written, "unknown", "", None]}))
    assert frame["source.mac"].to_list() == ["00-00-5E-00-53-23"] * 4 + ["unknown", None, None]
