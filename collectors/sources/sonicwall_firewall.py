"""SonicWall: firewalls (SonicOS) in CEF and in the default key=value form, Secure Mobile Access (SMA).

Source: SonicWall, "SonicOS Log Events Reference Guide" (event ids, `src=ip:port:interface`, ArcSight CEF) and "SMA
Administration Guide", syslog fields (`id=sslvpn`). `out` and `sent` are what the source sent, `in` and `rcvd` what came
back; `proto` is `tcp/https`. Web lines name the site apart (`dstname`, `arg`, `op`, `result`); CEF has one `request`, SMA's web
application firewall `URI`, without its scheme. SMA's `time` is the appliance's own, `vp_time` the same in UTC. `id` is the firewall's
to choose.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef, either, key_value
from collectors.source import Raw, Source

source = Source(
    name="sonicwall.firewall",
    title={"ja": "SonicWall ファイアウォール・SMA", "en": "SonicWall firewall and SMA"},
    zone_hint="perimeter",
    shape=either(r"CEF:\d\|SonicWall\|", cef(), key_value(needs=["sn", "m"])),
    recognise=r"CEF:\d\|SonicWall\||\bid=\S{1,64} +sn=\w+ +time=",
    constants={"event.kind": "event", "observer.vendor": "SonicWall", "observer.type": "firewall"},
    leftovers="sonicwall",
    rename={
        "cef.class": "event.code",
        "m": "event.code",
        "cef.product": "observer.product",
        "cef.version": "observer.version",
        "sn": "observer.serial_number",
        "smac": "source.mac",
        "srcMac": "source.mac",
        "dmac": "destination.mac",
        "dstMac": "destination.mac",
        "out": "source.bytes",
        "sent": "source.bytes",
        "in": "destination.bytes",
        "rcvd": "destination.bytes",
        "cn1Label": "destination.packets",
        "cn2Label": "source.packets",
        "spkt": "source.packets",
        "rpkt": "destination.packets",
        "msg": "message",
        "rule": "rule.name",
        "sid": "rule.id",
        "ipscat": "rule.category",
        "spycat": "rule.category",
        "op": "http.request.method",
        "requestMethod": "http.request.method",
        "result": "http.response.status_code",
    },
    ignore=(
        *(
            "src",
            "dst",
            "spt",
            "dpt",
            "proto",
            "time",
            "user",
            "usr",
            "suser",
            "susr",
            "duser",
            "domain",
            "arg",
            "request",
            "natSrc",
            "natDst",
            "cs1",
            "cs1Label",
        ),
        *(
            "agent",
            "vp_time",
            "URI",
            "srcV6",
            "dstV6",
            "cef.vendor",
            "cef.severity",
            "cef.name",
            "deviceInboundInterface",
            "deviceOutboundInterface",
            "fw",
            "dstname",
            "dhost",
            "shost",
        ),
    ),
)
_PLACE = r"(?::(\d*))?(?::([\w\-]*))?(?::([\w\-]+(?:\.[\w\-]+)+))?"
_END = (
    rf"(?s)^(?:([0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|\[[0-9A-Fa-f:]+\]){_PLACE}(?:[^\w\-].*)?"
    r"|([0-9A-Fa-f]*:[0-9A-Fa-f:]+)(?:[^\w\-:.].*)?)$"
)
"""An IPv6 address has something behind it only where it is in brackets: without them one cannot tell where it ends."""
_BEHIND = r"^():(\d*)(?::([\w\-]*))?(?::([\w\-]+(?:\.[\w\-]+)+))?()$"
"""An end whose address stands apart (`srcV6`): `:port:interface`."""


def _split(found: pl.Expr) -> tuple[pl.Expr, list[pl.Expr]]:
    """Address; port, interface, name: what `_END` or `_BEHIND` found."""
    part = found.struct
    address = e.first(e.present(part.field("1")), part.field("5")).str.strip_chars("[]")
    return e.ip(address), [e.present(part.field(str(n))) for n in (2, 3, 4)]


def _end(raw: Raw, name: str) -> tuple[pl.Expr, list[pl.Expr]]:
    """Address; port, interface, name of one end: `address:port:interface:name`, what is unknown left empty or out. Where both
    addresses are written, IPv6's `::` says that there is none."""
    whole = raw[name]
    bare = whole.str.contains(_BEHIND)
    own, beside = _split(
        pl.when(bare).then(whole.str.extract_groups(_BEHIND)).otherwise(whole.str.extract_groups(_END))
    )
    six, apart = _split(raw[f"{name}V6"].str.strip_chars('"').str.extract_groups(_END))
    told = pl.when(~six.str.contains(r"^[0:]+$")).then(six)
    return e.first(told, own, six), [e.first(*both) for both in zip(beside, apart, strict=True)]


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends: `ip:port:interface` in one value, or each in its own."""
    (near, here), (far, there) = (_end(raw, name) for name in ("src", "dst"))
    nat = [_split(raw[name].str.extract_groups(_END)) for name in ("natSrc", "natDst")]
    over = raw["proto"].str.extract_groups(r"^([^/]+)(?:/(.+))?$").struct
    own, utc = (
        raw[name]
        .str.extract(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
        .str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        for name in ("time", "vp_time")
    )
    clock = (
        pl.when(raw["time"].str.contains("UTC", literal=True))
        .then(e.local(own, "UTC"))
        .otherwise(e.first(e.local(utc, "UTC"), e.local(own)))
    )
    epoch = pl.from_epoch(e.whole(raw["rt"]), "ms").dt.replace_time_zone("UTC")
    return {
        "@timestamp": e.time_or(epoch, clock, pl.col("header.timestamp")),
        "source.ip": near,
        "source.port": e.first(raw["spt"], here[0]),
        "destination.ip": far,
        "destination.port": e.first(raw["dpt"], there[0]),
        "source.nat.ip": nat[0][0],
        "source.nat.port": nat[0][1][0],
        "destination.nat.ip": nat[1][0],
        "destination.nat.port": nat[1][1][0],
        "observer.ingress.interface.name": e.first(raw["deviceInboundInterface"], here[1]),
        "observer.egress.interface.name": e.first(raw["deviceOutboundInterface"], there[1]),
        "source.domain": e.first(e.present(raw["shost"]), here[2]),
        "destination.domain": e.first(e.present(raw["dstname"]), e.present(raw["dhost"]), there[2]),
        "observer.ip": e.ip(raw["fw"]),
        "network.transport": over.field("1").str.to_lowercase(),
        "network.protocol": over.field("2").str.extract(r"^(.*[^\d].*)$").str.to_lowercase(),
        "user_agent.original": e.present(raw["agent"].str.strip_chars('"')).replace({"(null)": None}),
        **_person(raw),
        "rule.name": e.first(e.present(raw["cs1"].str.strip_chars('"')), e.present(raw["rule"])),
    }


def _person(raw: Raw) -> dict[str, pl.Expr]:
    """Who; a domain stands before the name or in a field of its own (SMA: that of the portal's sign-in)."""
    written = e.first(
        *(e.present(raw[name].str.strip_chars('"')) for name in ("usr", "user", "suser", "susr", "duser"))
    )
    domain, name = e.domain_user(written)
    return {"user.name": name, "user.domain": e.first(domain, e.present(raw["domain"]))}


@source.derive
def asked(raw: Raw) -> dict[str, pl.Expr]:
    """The page of a web line: one address (CEF; its scheme may be left out), or site and path apart."""
    written = e.present(e.first(raw["request"], raw["URI"]).str.strip_chars('"'))
    bare = written.str.contains(r"^[\w.\-]+(?::\d+)?(?:/|$)")
    whole = e.url_columns(
        pl.when(bare).then("//" + written).otherwise(written).str.replace(r"^//", "http://")
    )
    path = e.present(raw["arg"].str.strip_chars('"'))
    parts = e.url_columns(path)
    return {
        "url.original": e.first(written, path),
        "url.domain": e.first(
            whole["url.domain"], pl.when(path.is_not_null()).then(e.present(raw["dstname"]))
        ),
        "url.path": e.first(whole["url.path"], parts["url.path"]),
        "url.query": e.first(whole["url.query"], parts["url.query"]),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the firewall's action and the words of the message."""
    said = e.first(raw["cef.name"], raw["msg"])
    fate = e.first(raw["fw_action"], raw["action"]).str.strip_chars('"').str.to_lowercase()
    denied = fate.is_in(["drop", "deny", "block", "reset"]) | said.str.contains(
        r"(?i)\b(?:dropped|denied|blocked)\b"
    )
    signing = said.str.contains(r"(?i)\b(?:log ?in|log ?out|logon|log (?:in|out)|authentication|logged)\b")
    failed = said.str.contains(
        r"(?i)\b(?:fail\w*|denied|invalid|incorrect|unknown user|not allowed|locked out)\b"
    )
    threat = said.str.contains(r"^WAF threat (?:prevented|blocked)|^IPS Prevention Alert")
    malware = said.str.contains(r"(?i)^Gateway Anti-Virus Alert|^Anti-Spyware (?:Prevention|Detection) Alert")
    attack = threat | said.str.contains(
        r"(?i)^IPS Detection Alert|port scan|\battack\b|flood|\bspoof|^Probable "
    )
    attack &= ~said.str.contains(r"(?i)^\w+ flood mode changed\b").fill_null(False)  # by an administrator
    web = said.str.contains(r"(?i)^web ?site (?:access|accessed|hit|blocked)") | (raw["m"] == "97")
    tunnel = said.str.extract(r"^(?:NetExtender|Mobile Connect) (connected|disconnected)")
    return {
        "event.kind": pl.when(malware | attack).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.duration": pl.when(tunnel.is_not_null()).then(e.whole(raw["duration"]) * 1_000_000_000),
        "event.action": e.first(e.present(fate).replace({"na": None}), said.str.to_lowercase()),
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .when(malware)
        .then(e.texts("network", "malware"))
        .when(attack)
        .then(e.texts("network", "intrusion_detection"))
        .when(web)
        .then(e.texts("network", "web"))
        .when(tunnel.is_not_null())
        .then(e.texts("network", "session"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(denied | threat | (signing & failed))
        .then(e.texts("connection", "denied"))
        .when(tunnel == "connected")
        .then(e.texts("connection", "start"))
        .when(tunnel == "disconnected")
        .then(e.texts("connection", "end"))
        .when(said.str.contains(r"(?i)closed"))
        .then(e.texts("connection", "end"))
        .when(signing & said.str.contains(r"(?i)\b(?:log ?out|logged (?:out|off))\b"))
        .then(e.texts("end"))
        .when(signing & said.str.contains(r"(?i)\blog ?in (?:allowed|success)"))
        .then(e.texts("start"))
        .otherwise(e.texts("connection", "info")),
        "event.outcome": pl.when(signing & failed)
        .then(pl.lit("failure"))
        .when(signing)
        .then(pl.lit("success")),
    }
