"""Zones, places, staff and assets are added without changing or losing a row."""

import ipaddress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.enrich import Enricher, EnrichSettings
from collectors.enrich.places import PackagedCountries, Prefixes
from hinomi.errors import ConfigError

STAFF = "account,full_name,department,employment,telework\nt.yamada,山田 太郎,市民課,常勤,yes\n"
ASSETS = "host,ip,zone,department,role,criticality,protected\ndc01,10.30.1.5,internet,情報政策課,dc,5,yes\n"
GEO = "cidr,country_iso_code,lat,lon\n203.0.113.0/24,RO,44.43,26.10\n192.0.2.0/24,JP,35.68,139.76\n"


@pytest.fixture
def enricher(tmp_path: Path) -> Enricher:
    for name, text in {"staff.csv": STAFF, "assets.csv": ASSETS, "geo.csv": GEO}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Enricher.of(
        EnrichSettings.model_validate(
            {
                "zones": {
                    "lgwan": ["10.20.0.0/16"],
                    "internet": ["10.30.0.0/16", "2001:db8:30::/48"],
                    "dmz": ["10.30.9.0/24"],
                },
                "staff": tmp_path / "staff.csv",
                "assets": tmp_path / "assets.csv",
                "geo_override": tmp_path / "geo.csv",
            }
        )
    )


def test_zones_countries_and_direction(enricher: Enricher) -> None:
    """The smallest network decides the zone; outside addresses get a country; the direction follows."""
    frame = pl.DataFrame(
        {
            "source.ip": [
                "203.0.113.66",
                "10.30.8.1",
                "10.30.9.1",
                "127.0.0.1",
                None,
                "not an address",
                "2001:db8:30::7",
            ],
            "destination.ip": [
                "10.20.1.20",
                "8.8.8.8",
                "10.20.1.20",
                "10.30.1.5",
                "10.30.1.5",
                "10.20.0.1",
                "172.16.0.9",
            ],
        }
    )
    out = enricher.enrich(frame)
    assert out["source.zone"].to_list() == ["external", "internet", "dmz", None, None, None, "internet"]
    assert out["destination.zone"].to_list() == [
        "lgwan",
        "external",
        "lgwan",
        "internet",
        "internet",
        "lgwan",
        None,
    ]
    assert out["source.geo.country_iso_code"][0] == "RO" and out["source.geo.location"][0] == "44.43,26.1"
    assert out["destination.geo.country_iso_code"][1] == "US"
    assert out["network.direction"].to_list() == ["inbound", "outbound", "internal", None, None, None, None]
    assert out["source.ip"].to_list() == frame["source.ip"].to_list()


def test_what_the_source_says_is_kept(enricher: Enricher) -> None:
    """A country or direction in the log wins over ours."""
    frame = pl.DataFrame(
        {
            "source.ip": ["203.0.113.1"],
            "source.geo.country_iso_code": ["FR"],
            "destination.ip": ["10.20.0.1"],
            "network.direction": ["outbound"],
        }
    )
    out = enricher.enrich(frame)
    assert (out["source.geo.country_iso_code"][0], out["network.direction"][0]) == ("FR", "outbound")


@pytest.mark.parametrize(
    "account", ["t.yamada", "T.Yamada", "HINOMI\\t.yamada", "t.yamada@city.hinomi.example.jp"]
)
def test_staff_by_any_form_of_the_account(enricher: Enricher, account: str) -> None:
    """Domain prefixes, mail forms and case do not hide a person."""
    out = enricher.enrich(pl.DataFrame({"user.name": [account, None]}))
    assert out["user.staff.department"].to_list() == ["市民課", None]


def test_assets_by_host_name(enricher: Enricher) -> None:
    """A full host name finds its asset, and the host's zone with it."""
    out = enricher.enrich(pl.DataFrame({"host.name": ["DC01.city.hinomi.example.jp", "unknown"]}))
    assert out["host.asset.role"].to_list() == ["dc", None]
    assert out["host.zone"].to_list() == ["internet", None]


def test_assets_that_go_by_their_addresses_are_told_apart(tmp_path: Path) -> None:
    """An address is no name with a domain: its neighbour is another machine, or none that the city lists."""
    path = tmp_path / "assets.csv"
    path.write_text("host,role\n192.0.2.10,ups\n192.0.2.11,nas\n", encoding="utf-8")
    enricher = Enricher.of(EnrichSettings.model_validate({"assets": path}))
    hosts = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.10.example", "", None]
    out = enricher.enrich(pl.DataFrame({"host.name": hosts}))
    assert out["host.asset.role"].to_list() == ["ups", "nas", None, None, None, None]


def test_a_frame_without_such_columns_passes_unchanged(enricher: Enricher) -> None:
    """Nothing to look up, nothing added."""
    frame = pl.DataFrame({"event.id": ["1"]})
    assert enricher.enrich(frame).equals(frame)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("staff", "name\nx\n", "account"),
        ("staff", "account,full_name\n,x\n", "staff.csv:2"),
        ("geo_override", "cidr,country_iso_code,lat,lon\nten,JP,1,2\n", "geo_override.csv:2"),
        ("mmdb", "not a database", "MaxMind"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    """The error names the file, the line and what was expected."""
    path = tmp_path / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        Enricher.of(EnrichSettings.model_validate({name: path}))


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=12), st.integers(0, 2**32 - 1)
)
def test_longest_prefix_is_what_a_plain_search_finds(nets: list[tuple[int, int]], number: int) -> None:
    """Prefixes.find equals trying every network, smallest first."""
    entries = {
        ipaddress.ip_network((start, length), strict=False): index
        for index, (start, length) in enumerate(nets)
    }
    address = ipaddress.ip_address(number)
    holding = [network for network in entries if address in network]
    expected = entries[max(holding, key=lambda network: network.prefixlen)] if holding else None
    assert Prefixes(list(entries.items())).find(address) == expected


def test_packaged_table_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The country package sets PYTHONWARNINGS when imported; Hinomi does not let it."""
    import os

    before = dict(os.environ)
    assert PackagedCountries.load().place(ipaddress.ip_address("8.8.8.8")).country == "US"
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "written", ["山田太郎", "山田　太郎", "ﾔﾏﾀﾞ ﾀﾛｳ", "Taro YAMADA", "Ｔ．Ｙａｍａｄａ", "old123"]
)
def test_staff_by_any_spelling_of_the_name(tmp_path: Path, written: str) -> None:
    """Kanji, kana in half width, romanised and former accounts lead to one person; the written name stays."""
    path = tmp_path / "staff.csv"
    people = (
        "account,full_name,aliases\n"
        "t.yamada,山田 太郎,ヤマダ タロウ;Taro Yamada、old123\n"
        "k.sato,佐藤 花子,サトウ ハナコ\nh.sato,佐藤 花子,\n"
    )
    path.write_text(people, encoding="utf-8")
    enricher = Enricher.of(EnrichSettings.model_validate({"staff": path}))
    out = enricher.enrich(pl.DataFrame({"user.name": [written, "佐藤花子", "サトウハナコ"]}))
    assert out["user.staff.account"].to_list() == ["t.yamada", None, "k.sato"], "two people have one name"
    assert out["user.name"][0] == written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_lists_are_read_as_excel_saves_them(tmp_path: Path, encoding: str) -> None:
    """Staff and places in the encodings of Excel's kinds of CSV."""
    staff, geo = tmp_path / "staff.csv", tmp_path / "geo.csv"
    staff.write_bytes("account,full_name,department\r\nt.yamada,山田 太郎,市民課\r\n".encode(encoding))
    geo.write_bytes(
        "cidr,country_iso_code,lat,lon,備考\r\n203.0.113.0/24,RO,44.4,26.1,試験\r\n".encode(encoding)
    )
    made = Enricher.of(EnrichSettings.model_validate({"staff": staff, "geo_override": geo}))
    out = made.enrich(pl.DataFrame({"user.name": ["t.yamada"], "source.ip": ["203.0.113.9"]}))
    assert out["user.staff.department"].to_list() == ["市民課"]
    assert out["source.geo.country_iso_code"].to_list() == ["RO"]


def test_a_list_in_another_encoding_says_so(tmp_path: Path) -> None:
    """Not that it is no CSV: it is one, and the words say how to save it."""
    path = tmp_path / "staff.csv"
    path.write_bytes(b"account,full_name\nt.yamada,\x81\n")
    with pytest.raises(ConfigError, match="文字コード"):
        Enricher.of(EnrichSettings.model_validate({"staff": path}))
