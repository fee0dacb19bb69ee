"""Windows DHCP server audit log: `DhcpSrvLog-*.log` (IPv4) and `DhcpV6SrvLog-*.log`.

Source: Microsoft, "Analyze DHCP server log files" and the header of the file itself, which lists the event ids. A line
has seven columns at least; later versions have up to nineteen. Dates are month/day/year whatever the language.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import delimited
from collectors.source import Raw, Source

_COLUMNS = ("id", "date", "time", "description", "ip", "host", "mac", "user", "transaction", "qresult", "probation",
            "correlation", "dhcid", "vendor_hex", "vendor", "user_class_hex", "user_class", "relay",
            "dns_error")  # fmt: skip
# Event id → (action, type). Ids from 50 on are about the server's authorisation in the directory.
_IDS = {
    "00": ("log-started", "start"),
    "01": ("log-stopped", "end"),
    "02": ("log-paused", "info"),
    "10": ("lease-assigned", "start"),
    "11": ("lease-renewed", "change"),
    "12": ("lease-released", "end"),
    "13": ("address-in-use", "error"),
    "14": ("pool-exhausted", "error"),
    "15": ("lease-denied", "denied"),
    "16": ("lease-deleted", "deletion"),
    "17": ("lease-expired", "end"),
    "18": ("lease-expired", "end"),
    "20": ("bootp-assigned", "start"),
    "21": ("bootp-assigned", "start"),
    "22": ("bootp-pool-exhausted", "error"),
    "23": ("bootp-deleted", "deletion"),
    "24": ("cleanup-started", "info"),
    "25": ("cleanup-done", "info"),
    "30": ("dns-update-asked", "change"),
    "31": ("dns-update-failed", "error"),
    "32": ("dns-updated", "change"),
    "33": ("packet-dropped-by-policy", "denied"),
    "34": ("dns-update-queue-full", "error"),
    "35": ("dns-update-failed", "error"),
    "36": ("packet-dropped-not-ours", "info"),
}
_FAILED = ["13", "14", "15", "22", "31", "34", "35"]

source = Source(
    name="microsoft.dhcp",
    title={"ja": "Windows DHCP サーバー(監査ログ)", "en": "Windows DHCP server audit log"},
    zone_hint="internal",
    shape=delimited(_COLUMNS, least=7),
    always=r"(?:^|\s)\d{1,5}\s*,\s*\d{1,2}/\d{1,2}/\d{2,4}\s*,",
    recognise=r"^\d{1,5},\d\d/\d\d/\d\d,\d\d:\d\d:\d\d,[^,]*,[^,]*,[^,]*,[0-9A-Fa-f]*,",
    leftovers="microsoft.dhcp",
    constants={
        "event.kind": "event",
        "event.category": ["network"],
        "network.protocol": "dhcp",
        "observer.vendor": "Microsoft",
    },
    rename={"id": "event.code", "description": "message", "user": "user.name"},
    ignore=("date", "time", "ip", "host", "mac"),
)


@source.derive
def lease(raw: Raw) -> dict[str, pl.Expr]:
    """Which computer has which address, from when."""
    number = raw["id"].str.strip_chars()
    padded = pl.when(number.str.contains(r"^\d{1,5}$")).then(number.str.zfill(2))
    text = pl.concat_str(raw["date"].str.strip_chars(), raw["time"].str.strip_chars(), separator=" ")
    stamp = times.parsed(text, ["%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S"], times.zone())
    mac = raw["mac"].str.strip_chars().str.to_uppercase()
    octets = mac.str.extract_groups("^" + "([0-9A-F]{2})" * 6 + "$").struct
    name = e.present(raw["host"])
    return {
        "@timestamp": stamp,
        "event.code": padded,
        "event.action": e.first(
            e.mapped(padded, {key: value[0] for key, value in _IDS.items()}), pl.lit("server-authorisation")
        ),
        "event.type": e.first(
            e.mapped(padded, {key: value[1] for key, value in _IDS.items()}), pl.lit("info")
        ).str.split(","),
        "event.outcome": pl.when(padded.is_in(_FAILED)).then(pl.lit("failure")).otherwise(pl.lit("success")),
        "client.ip": e.ip(e.present(raw["ip"])),
        "source.ip": e.ip(e.present(raw["ip"])),
        "source.domain": name,
        "source.mac": pl.concat_str([octets.field(str(n)) for n in range(1, 7)], separator="-"),
    }
