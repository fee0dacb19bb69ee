"""One address, one text: whatever a log writes, rules, indicators and correlations compare the short form."""

import ipaddress

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from collectors.addresses import canonical

_V6 = st.integers(1 << 48, (1 << 128) - 1).map(ipaddress.IPv6Address)  # below: IPv4 inside


@given(st.lists(_V6, min_size=1, max_size=5))
def test_every_way_to_write_an_address_gives_its_short_form(addresses: list[ipaddress.IPv6Address]) -> None:
    """Written out, in capitals or short, alone or in a list: RFC 5952's form."""
    short = [address.compressed for address in addresses]
    for texts in (short, [one.exploded for one in addresses], [one.exploded.upper() for one in addresses]):
        frame = canonical(pl.DataFrame({"source.ip": texts, "related.ip": [[text] for text in texts]}))
        assert frame["source.ip"].to_list() == short
        assert frame["related.ip"].to_list() == [[one] for one in short]


def test_what_is_no_ipv6_address_stays() -> None:
    """IPv4, nothing, broken text and other fields are not touched."""
    frame = pl.DataFrame(
        {"source.ip": ["192.0.2.1", None, "0zz:0AA"], "message": ["2001:0DB8::1", "b", "c"], "n": [1, 2, 3]}
    )
    assert canonical(frame).equals(frame)
