"""Events against indicators: every kind, domains below and networks, the surest wins, and what is over is not met."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from collectors.indicators import Held, Indicator, Kind, Matcher
from collectors.indicators.held import SCHEMA
from collectors.indicators.networks import Networks

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def one(kind: Kind, value: str, confidence: int = 80, source: str = "s", days: int = 9) -> dict[str, object]:
    """A row of the held indicators."""
    return {
        "kind": str(kind), "value": value, "source": source, "confidence": confidence,
        "since": NOW, "expires": NOW + timedelta(days=days), "about": "説明",
    }  # fmt: skip


def matcher(*rows: dict[str, object]) -> Matcher:
    return Matcher(pl.DataFrame(list(rows), schema=SCHEMA), NOW)


def test_each_kind_is_met_where_it_can_stand() -> None:
    """Address, network, a name and names below it, link, hash, sender; the column is told; other rows stay empty."""
    own = matcher(
        one(Kind.ADDRESS, "203.0.113.9"), one(Kind.NETWORK, "198.51.100.0/24"), one(Kind.DOMAIN, "bad.example.net"),
        one(Kind.URL, "http://x.example.net/a"), one(Kind.FILE, "ab" * 16), one(Kind.EMAIL, "a@example.net"),
    )  # fmt: skip
    frame = pl.DataFrame(
        {
            "destination.ip": ["203.0.113.9", "198.51.100.77", "203.0.113.10", None, None, None, None],
            "dns.question.name": [None, None, "notbad.example.net", "C2.Bad.Example.net.", None, None, None],
            "url.original": [
                None,
                None,
                None,
                None,
                "http://X.example.net/a/",
                "http://x.example.net/A",
                None,
            ],
            "file.hash.md5": [None, None, None, None, None, None, "AB" * 16],
            "email.from.address": [None, None, None, None, None, ["b@example.net", "A@example.net"], None],
        }
    )
    marked = own.mark(frame)
    assert marked["hinomi.indicator.field"].to_list() == [
        "destination.ip", "destination.ip", None, "dns.question.name", "url.original", "email.from.address", "file.hash.md5",
    ]  # fmt: skip
    assert marked["threat.indicator.name"].to_list()[1:4] == ["198.51.100.0/24", None, "bad.example.net"]
    assert marked["threat.indicator.confidence"][0] == "80" and marked["threat.feed.name"][0] == "s"
    assert marked.select(frame.columns).equals(frame)


def test_the_surest_wins_and_what_is_over_is_not_met() -> None:
    """Two sources warn of one value: the surer one is told. An expired indicator is none."""
    frame = pl.DataFrame({"source.ip": ["203.0.113.9", "203.0.113.8"]})
    own = matcher(
        one(Kind.ADDRESS, "203.0.113.9", 40, "unsure"),
        one(Kind.ADDRESS, "203.0.113.9", 90, "sure"),
        one(Kind.ADDRESS, "203.0.113.8", days=-1),
    )
    assert own.mark(frame)["threat.indicator.provider"].to_list() == ["sure", None]
    assert matcher().mark(frame) is frame


@given(
    st.lists(st.ip_addresses(v=4), max_size=30),
    st.lists(st.ip_addresses(v=4).flatmap(lambda a: st.integers(8, 32).map(lambda n: ip_network((a, n), strict=False))), max_size=15),
    st.lists(st.sampled_from("abc"), max_size=6),
)  # fmt: skip
def test_networks_and_names_against_their_definition(
    addresses: list[object], networks: list[object], labels: list[str]
) -> None:
    """Whether a row is marked is what asking every indicator, one by one, says."""
    rows = [
        one(
            Kind.NETWORK if n.num_addresses > 1 else Kind.ADDRESS,
            str(n if n.num_addresses > 1 else n.network_address),
        )
        for n in networks
    ]  # type: ignore[attr-defined]
    name = ".".join([*labels, "x.net"])
    own = matcher(*rows, one(Kind.DOMAIN, "a.x.net"), one(Kind.DOMAIN, "b.a.x.net"))
    near = [str(n.network_address) for n in networks]  # type: ignore[attr-defined]
    texts = [*map(str, addresses), *near]
    frame = pl.DataFrame(
        {"source.ip": texts, "url.domain": [name] * len(texts)},
        schema={"source.ip": pl.String, "url.domain": pl.String},
    )
    marked = own.mark(frame)
    by_name = name == "a.x.net" or name.endswith(".a.x.net")
    expected = [by_name or any(ip_address(text) in n for n in networks) for text in texts]  # type: ignore[operator]
    got = (
        marked["threat.indicator.name"].is_not_null().to_list()
        if "threat.indicator.name" in marked.columns
        else [False] * len(texts)
    )
    assert got == expected


def test_held_renews_tells_what_is_new_and_expires(tmp_path: object) -> None:
    """The same value of the same source is renewed, of another one is new; what is over goes; a source goes whole."""
    own = Held(tmp_path)  # type: ignore[arg-type]
    first = Indicator(Kind.ADDRESS, "203.0.113.9", "a", 50, NOW, NOW + timedelta(days=1))
    assert own.take([first]).height == 1 and own.take([first]).height == 0
    other = Indicator(Kind.ADDRESS, "203.0.113.9", "b", 50, NOW, NOW + timedelta(days=9))
    assert own.take([other])["source"].to_list() == ["b"]
    assert own.expire(NOW + timedelta(days=2)) == 1 and own.frame()["source"].to_list() == ["b"]
    assert own.expire(NOW, "b") == 1 and own.frame().height == 0


_ADDRESS = st.one_of(
    st.ip_addresses().map(str),
    st.integers(0, 255).map(lambda n: f"203.0.113.{n}"),
    st.sampled_from(["", "1.2.3", "1.2.3.4.5", "203.0.113.07", "+203.0.113.7", "203.0.113.256", " 203.0.113.7", "::ffff:203.0.113.7"]),
)  # fmt: skip


@given(st.lists(_ADDRESS, max_size=40, unique=True), st.lists(st.integers(8, 32), max_size=6), st.booleans())
def test_the_narrowest_network_of_anything_that_calls_itself_an_address(
    texts: list[str], lengths: list[int], six: bool
) -> None:
    """Sound and unsound texts, both versions: the row found is that of the longest prefix that holds the address."""
    networks = [str(ip_network(("203.0.113.0", n), strict=False)) for n in dict.fromkeys(lengths)]
    networks += ["2001:db8::/32", "2001:db8:1::/48", "8000::/19"] if six else []
    found = dict(zip(*Networks(networks).find(pl.Series(texts, dtype=pl.String)), strict=True))
    for text in texts:
        assert found.get(text) == _slowly(text, networks), text


def _slowly(text: str, networks: list[str]) -> int | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    fitting = [
        (ip_network(one).prefixlen, row) for row, one in enumerate(networks) if address in ip_network(one)
    ]
    return max(fitting)[1] if fitting else None


def test_a_product_with_its_own_name_of_a_threat_is_looked_at_like_any_other() -> None:
    """PAN-OS and others write `threat.indicator.name` themselves: what meets an indicator says so, with the product's word
    behind it, and what meets none keeps the product's word and is no hit."""
    names = [None, "Suspicious DNS Query", "Malware"]
    frame = pl.DataFrame(
        {
            "destination.ip": ["203.0.113.9", "203.0.113.9", "192.0.2.1"],
            "threat.indicator.name": pl.Series(names, dtype=pl.String),
        }
    )
    marked = matcher(one(Kind.ADDRESS, "203.0.113.9")).mark(frame)
    assert marked["hinomi.indicator.field"].to_list() == ["destination.ip", "destination.ip", None]
    assert marked["threat.indicator.name"].to_list() == ["203.0.113.9", "203.0.113.9", "Malware"]
    assert marked["threat.indicator.description"].to_list() == ["説明", "説明 / Suspicious DNS Query", None]
    assert marked["threat.feed.name"].to_list() == ["s", "s", None]
