"""OpenVPN server: sign-ins, refusals, addresses given, ends of sessions, and what the server says of itself.

The texts and their sources are in `collectors.openvpn.texts`. The peer is the source and the client; the address
that it gets inside is `source.nat.ip`. `--log` files carry the host's local time without a zone.
"""

import polars as pl

from collectors import expressions as e
from collectors.openvpn.texts import APPS, MEANINGS, TABLE
from collectors.shapes import patterns
from collectors.source import Raw, Source

source = Source(
    name="openvpn.server",
    title={"ja": "OpenVPN サーバ", "en": "OpenVPN server"},
    zone_hint="perimeter",
    shape=patterns(TABLE, APPS),
    recognise=(
        r"\b(?:openvpn|ovpn-\w+)(?:\[\d+\]: | \d+ \S+ )|\bPeer Connection Initiated with \[AF_INET"
        r"|^(?:\d{4}-\d\d-\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+) \d\d:\d\d:\d\d (?:\d{4} )?(?:us=\d+ )?"
        r"(?:[^/\s]*/)?[0-9A-Fa-f.:]+:\d+ (?:VERIFY |TLS|MULTI: |peer info: |Control Channel|SIG[A-Z]+)"
    ),
    leftovers="openvpn",
    constants={"event.kind": "event", "observer.product": "OpenVPN", "observer.type": "vpn"},
    rename={
        "text": "message",
        "egress": "observer.egress.interface.name",
        "device": "observer.ingress.interface.name",
    },
    ignore=(
        *(
            "clock",
            "us",
            "name",
            "name2",
            "ip",
            "port",
            "at",
            "atport",
            "common",
            "user",
            "user2",
            "reason",
            "what",
            "dn",
        ),
        *("assigned", "assigned2", "assigned3", "pattern"),
    ),
)
_FORMS = ("%Y-%m-%d %H:%M:%S", "%a %b %d %H:%M:%S %Y")


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the text that fitted; an error of the certificate is a refused sign-in."""
    name, what = raw["pattern"], raw["what"]
    bad = (name == "certificate") & what.str.contains("ERROR", literal=True)

    def of(part: int, rest: str) -> pl.Expr:
        said = e.mapped(name, {key: value[part] for key, value in MEANINGS.items()})
        return pl.when(bad).then(pl.lit(MEANINGS["refused"][part])).otherwise(said.fill_null(rest))

    text = raw["clock"].str.replace_all(r" +", " ")
    naive = pl.coalesce(text.str.to_datetime(form, time_unit="us", strict=False) for form in _FORMS)
    exact = naive + pl.duration(microseconds=e.whole(raw["us"]).fill_null(0))
    waiting = (name == "signed-in") & (what == "deferred")
    return {
        "@timestamp": e.time_or(*e.own_clock(exact)),
        "event.category": of(0, "network").str.split(","),
        "event.type": of(1, "info").str.split(","),
        "event.outcome": pl.when(waiting).then(pl.lit("unknown")).otherwise(e.present(of(2, ""))),
        "event.action": pl.concat_str(pl.lit("vpn-"), name),
        "event.reason": e.present(raw["reason"].str.strip_chars_end(".")),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """The peer and the person: the name in the certificate, or the one that was typed."""
    address = e.first(raw["ip"], raw["at"])
    inside = e.first(raw["assigned"], raw["assigned2"], raw["assigned3"])
    dn = raw["dn"].str.extract(r"(?i)^(?:CN|UID)=([^,]+)")
    above = raw["dn"].str.extract_all(r"(?i)\bDC=[^,]+").list.eval(pl.element().str.slice(3)).list.join(".")
    depth0 = pl.when(raw["depth"] == "0").then(raw["reason"]).str.extract(r"\bCN=([^,]+)")
    return {
        "source.ip": address,
        "source.port": e.first(raw["port"], raw["atport"]),
        "source.nat.ip": inside,
        "client.ip": e.first(address, inside),
        "user.name": e.present(
            e.first(raw["user"], raw["user2"], raw["name"], raw["common"], dn, raw["name2"], depth0)
        ),
        "user.domain": pl.when(above != "").then(above),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "process.name": pl.col("header.app"),
        "process.pid": pl.col("header.pid"),
        "network.application": pl.lit("openvpn"),
    }
