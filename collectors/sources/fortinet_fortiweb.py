"""FortiWeb (and FortiWeb Cloud, FortiADC's web part): attack, traffic, event, key=value.

Source: Fortinet, "FortiWeb Log Reference" and "FortiWeb Cloud, Log settings". Names differ by product and version
(`src`/`src_ip`, `http_agent`/`user_agent`); all are understood. Protocol numbers are kept as written.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import key_value
from collectors.source import Raw, Source

source = Source(
    name="fortinet.fortiweb",
    title={"ja": "FortiWeb(WAF)", "en": "FortiWeb web application firewall"},
    zone_hint="dmz",
    shape=key_value(needs=["http_host", "http_method", "msg_id", "ep_id", "device_id", "devid", "devname"]),
    recognise=r"\bdevice_id=FV\w+|\bep_id=\d+ app_name=|\bsubtype=\"?(?:waf|slb_http)\b",
    constants={
        "event.kind": "event",
        "observer.vendor": "Fortinet",
        "observer.product": "FortiWeb",
        "observer.type": "waf",
    },
    leftovers="fortinet.fortiweb",
    rename={
        "device_id": "observer.serial_number",
        "devid": "observer.serial_number",
        "devname": "observer.name",
        "log_id": "event.code",
        "logid": "event.code",
        "user_id": "user.id",
        "trans_src_port": "source.nat.port",
        "trans_dst_port": "destination.nat.port",
        "http_method": "http.request.method",
        "http_refer": "http.request.referrer",
        "http_referer": "http.request.referrer",
        "referer": "http.request.referrer",
        "http_retcode": "http.response.status_code",
        "http_request_bytes": "http.request.bytes",
        "http_response_bytes": "http.response.bytes",
        "ibytes": "source.bytes",
        "obytes": "destination.bytes",
        "main_type": "rule.category",
        "sub_type": "rule.name",
        "signature_id": "rule.id",
        "sigid": "rule.id",
        "attack": "threat.indicator.name",
        "policy": "rule.ruleset",
        "msg": "message",
    },
    ignore=(
        *(
            "date",
            "time",
            "date_time",
            "tz",
            "timezone",
            "timezone_dayst",
            "timestamp",
            "eventtime",
            "user",
            "user_name",
        ),
        *(
            "src",
            "src_ip",
            "srcip",
            "dst",
            "dst_ip",
            "dstip",
            "src_port",
            "srcport",
            "dst_port",
            "dstport",
            "proto",
        ),
        *("http_host", "http_url", "http_agent", "user_agent", "trans_src", "trans_dst"),
    ),
)


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """When, both ends, who."""
    stamp = times.parsed(raw["date_time"], [times.ISO], times.zone())
    apart = pl.concat_str(raw["date"], raw["time"], separator=" ")
    naive = e.local(apart.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False))
    epoch = pl.from_epoch(e.whole(raw["eventtime"]), "ns").dt.replace_time_zone("UTC")
    named = e.first(e.present(raw["user_name"]), e.present(raw["user"]))
    console = e.first(
        raw["ui"].str.extract(r"\(([0-9A-Fa-f.:]+)\)"),
        raw["msg"].str.extract(r"^User .* from \w+\(([0-9A-Fa-f.:]+)\)"),
    )
    parts = named.str.extract_groups(r"^([^@]+)(?:@(.+))?$").struct
    return {
        "@timestamp": e.time_or(stamp, epoch, naive, pl.col("header.timestamp")),
        "source.ip": e.first(*(e.ip(raw[name]) for name in ("src", "src_ip", "srcip")), console),
        "source.port": e.first(raw["src_port"], raw["srcport"]),
        "source.nat.ip": e.ip(raw["trans_src"]),
        "destination.ip": e.first(*(e.ip(raw[name]) for name in ("dst", "dst_ip", "dstip"))),
        "destination.port": e.first(raw["dst_port"], raw["dstport"]),
        "destination.nat.ip": e.ip(raw["trans_dst"]),
        "user.name": parts.field("1"),
        "user.domain": parts.field("2"),
        "user.email": pl.when(parts.field("2").is_not_null()).then(named),
    }


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """The request and what was done with it."""
    action, kind = raw["action"].str.to_lowercase(), raw["type"]
    attack = (kind == "attack") | (raw["cat"] == "attack") | (raw["subtype"] == "anomaly")
    denied = action.str.contains(r"block|deny|drop|clear_session|period")
    status = raw["status"].str.to_lowercase()
    path = raw["http_url"]
    signing = (kind == "event") & action.is_in(["login", "logout"])
    changing = (kind == "event") & action.is_in(["add", "edit", "delete", "set", "move", "clone", "import"])
    return {
        "url.domain": e.present(raw["http_host"]),
        "url.original": path,
        "url.path": path,
        "user_agent.original": e.first(e.present(raw["http_agent"]), e.present(raw["user_agent"])),
        "network.protocol": raw["proto"],
        "network.transport": e.first(e.transport(raw["proto"]), raw["proto"].str.extract(r"^(tcp|udp)$")),
        "event.kind": pl.when(attack).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.action": action,
        "event.category": pl.when(attack)
        .then(e.texts("intrusion_detection", "web"))
        .when(signing)
        .then(e.texts("authentication"))
        .when(kind == "event")
        .then(e.texts("configuration"))
        .otherwise(e.texts("web")),
        "event.type": pl.when(denied)
        .then(e.texts("denied"))
        .when(signing)
        .then(pl.when(action == "logout").then(e.texts("end")).otherwise(e.texts("start")))
        .when(changing)
        .then(
            pl.when(action == "delete")
            .then(e.texts("deletion"))
            .when(action.is_in(["add", "clone"]))
            .then(e.texts("creation"))
            .otherwise(e.texts("change"))
        )
        .when(kind == "event")
        .then(e.texts("info"))
        .otherwise(e.texts("access")),
        "event.outcome": e.mapped(status, {"success": "success", "failure": "failure", "failed": "failure"}),
    }
