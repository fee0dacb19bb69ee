"""Check Point: firewall, IPS, HTTPS inspection, VPN by Log Exporter (CEF, also with the header cut by a relay; its own
syslog) and the quoted export of SmartConsole.

Source: Check Point sk122323 "Log Exporter" (CEF mapping) and "Log field names". `deviceDirection` is 0 for inbound and
1 for outbound; `conn_direction` says it in words and wins.
"""

import polars as pl

from collectors import expressions as e
from collectors.checkpoint.forms import CheckPoint
from collectors.source import Raw, Source

source = Source(
    name="checkpoint.firewall",
    title={"ja": "Check Point ファイアウォール", "en": "Check Point firewall"},
    zone_hint="perimeter",
    shape=CheckPoint(),
    recognise=(
        r'\bCheckPoint \d+ - \[(?:\w+:"|\w+@2620 )|\btime=\d{10}(?:\.\d+)?\|.*\bloguid=|(?:CEF: ?)?0\|{1,2}Check Point\|'
        r'|^"\d+" "\d{1,2}[A-Z][a-z]{2}\d{4}" "[\d:]+" "'
    ),
    constants={"event.kind": "event", "observer.vendor": "Check Point", "observer.type": "firewall"},
    leftovers="checkpoint",
    rename={
        "cef.product": "observer.product",
        "cef.class": "event.code",
        "dst": "destination.ip",
        "spt": "source.port",
        "dpt": "destination.port",
        "in": "source.bytes",
        "out": "destination.bytes",
        "ifname": "observer.ingress.interface.name",
        "shost": "source.domain",
        "dhost": "destination.domain",
        "suser": "source.user.name",
        "duser": "destination.user.name",
        "request": "url.original",
        "requestMethod": "http.request.method",
        "fname": "file.name",
        "fileHash": "file.hash.md5",
        "rule_uid": "rule.uuid",
        "msg": "message",
        "hostname": "host.name",
        "file_sha1": "file.hash.sha1",
        "file_sha256": "file.hash.sha256",
        "file_size": "file.size",
        "process_name": "process.name",
        "parent_process_name": "process.parent.name",
        "user_agent": "user_agent.original",
        "referrer": "http.request.referrer",
        "email_subject": "email.subject",
        "from": "email.from.address",
    },
    ignore=(
        *("cef.vendor", "cef.version", "cef.severity", "cef.name", "act", "rt", "proto", "deviceDirection"),
        *("origin", "clock", "kind", "seconds", "rule_name", "inzone", "outzone", "service_id"),
        *("src", "client_ip", "sourceTranslatedAddress", "sourceTranslatedPort", "to", "ifdir"),
        *("destinationTranslatedAddress", "destinationTranslatedPort"),
    ),
)
_DENIED = ["drop", "reject", "block", "prevent", "deny", "quarantine", "ctlreset"]
_SIGN_INS = ["log in", "failed log in"]
_WAYS = {"incoming": "inbound", "outgoing": "outbound"}
_ABSENT = ["", "0.0.0.0", "::"]  # noqa: S104 — an address that was not translated


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """Time, direction, fate."""
    act = raw["act"].str.to_lowercase()
    denied, proto = act.is_in(_DENIED), raw["proto"]
    epoch = pl.from_epoch(
        e.first(e.whole(raw["rt"]), e.whole(raw["seconds"].str.extract(r"^(\d{10})")) * 1000), "ms"
    ).dt.replace_time_zone("UTC")
    shown = e.local(raw["clock"].str.to_datetime("%d%b%Y %H:%M:%S", time_unit="us", strict=False))
    operation = raw["operation"].str.to_lowercase().fill_null("")
    signing = act.is_in(_SIGN_INS) | (operation == "log in")
    leaving = (act == "log out") | (operation == "log out")
    said = raw["conn_direction"].str.to_lowercase().replace(_WAYS)
    way = e.mapped(raw["deviceDirection"], {"0": "inbound", "1": "outbound"})
    rule = [
        pl.when(raw[f"cs{n}Label"].str.contains(r"^(?:Threat Prevention )?Rule Name$")).then(raw[f"cs{n}"])
        for n in range(1, 7)
    ]
    return {
        "@timestamp": e.time_or(epoch, shown, pl.col("header.timestamp")),
        "source.ip": e.first(e.present(raw["src"]), e.ip(raw["client_ip"])),
        **_translated(raw),
        "email.to.address": e.present(raw["to"]).str.split(";"),
        "network.direction": e.first(
            said, way, e.mapped(raw["ifdir"], {"inbound": "inbound", "outbound": "outbound"})
        ),
        "network.transport": e.first(e.transport(proto), proto.str.to_lowercase()),
        "observer.ip": e.ip(raw["origin"]),
        "rule.name": e.first(*rule, e.present(raw["rule_name"])),
        "observer.ingress.zone": raw["inzone"],
        "observer.egress.zone": raw["outzone"],
        "checkpoint.service_id": raw["service_id"],
        "user.name": e.present(raw["suser"]),
        "event.action": act,
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .when(leaving)
        .then(e.texts("session"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(signing)
        .then(e.texts("start"))
        .when(leaving)
        .then(e.texts("end"))
        .when(denied)
        .then(e.texts("connection", "denied"))
        .otherwise(e.texts("connection", "allowed")),
        "event.outcome": pl.when(act == "failed log in")
        .then(pl.lit("failure"))
        .when(act.is_not_null())
        .then(pl.lit("success")),  # the gateway did what it says
    }


def _translated(raw: Raw) -> dict[str, pl.Expr]:
    """The ends behind address translation; `0.0.0.0` and port 0 are none."""
    columns: dict[str, pl.Expr] = {}
    for end in ("source", "destination"):
        address, port = raw[f"{end}TranslatedAddress"], raw[f"{end}TranslatedPort"]
        columns[f"{end}.nat.ip"] = pl.when(~address.is_in(_ABSENT)).then(address)
        columns[f"{end}.nat.port"] = pl.when(port != "0").then(port)
    return columns
