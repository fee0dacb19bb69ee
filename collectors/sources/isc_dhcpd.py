"""ISC DHCP server (dhcpd): who was given which address. Texts: `collectors.isc.dhcp`."""

import polars as pl

from collectors import expressions as e
from collectors.isc import dhcp
from collectors.shapes import patterns
from collectors.source import Raw, Source

source = Source(
    name="isc.dhcpd",
    title={"ja": "ISC DHCP サーバ", "en": "ISC DHCP server"},
    shape=patterns(dhcp.TABLE, ("dhcpd",)),
    recognise=(
        r"\bDHCP(?:DISCOVER|OFFER|REQUEST|ACK|NAK|RELEASE|INFORM|DECLINE) (?:from|on|of|for) |\bDHCPACK to [\d.]+ \("
        r"|\b(?:message from|Sending [A-Z]\S+ to) [0-9a-f:]+(?:%\S+)? port 54[67]\b|\bto client with duid [0-9a-f:]+ iaid"
        r"|\bClient [0-9a-f:]{14,} (?:releases|declines) |\b(?:forward|reverse) map from \S+ to "
    ),
    unlike=r"TransID|\blease-duration \d",  # Infoblox's: ISC's own server writes neither
    leftovers="isc.dhcpd",
    constants={"event.kind": "event", "observer.vendor": "ISC", "observer.product": "DHCP"},
    rename={"text": "message", "server": "server.ip"},
    ignore=("action", "sent", "lease", "mac", "client", "via", "port", "rest", "turned", "pattern"),
)


@source.derive
def message(raw: Raw) -> dict[str, pl.Expr]:
    """One DHCP message."""
    return {
        **dhcp.columns(raw),
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "source.domain": e.present(raw["client"]),
        "destination.ip": e.ip(raw["via"]),
        "event.outcome": pl.when(dhcp.failed(raw)).then(pl.lit("failure")).otherwise(pl.lit("success")),
        "host.name": pl.col("header.host"),
        "process.name": e.first(pl.col("header.app"), pl.lit("dhcpd")),
        "process.pid": pl.col("header.pid"),
    }
