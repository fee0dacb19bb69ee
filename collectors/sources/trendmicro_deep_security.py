"""Trend Micro Deep Security and Cloud One Workload Security: agents and manager, as CEF or LEEF.

Facts: Trend Micro, "Deep Security: Syslog message formats" (signature ids and keys of each protection module;
ids 600 to 608 of the manager: sign-ins to its console). `dvc` or `dvchost` is the machine that is protected.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef, either, leef, renamed
from collectors.source import Raw, Source
from collectors.trend_micro import cef_fields as f

_LEEF = {
    "leef.vendor": "cef.vendor", "leef.product": "cef.product", "leef.product_version": "cef.version", "leef.code": "cef.class",
    "name": "cef.name", "sev": "cef.severity", "usrName": "suser", "srcPort": "spt", "dstPort": "dpt", "srcMAC": "smac",
    "dstMAC": "dmac", "srcBytes": "out", "dstBytes": "in", "devTime": "rt",
}  # fmt: skip
"""What LEEF calls the same things."""

source = Source(
    name="trendmicro.deep_security",
    title={"ja": "Trend Micro Deep Security", "en": "Trend Micro Deep Security"},
    zone_hint="internal",
    shape=either(r"LEEF: ?[12]\.0\|", renamed(leef("Trend Micro"), _LEEF), cef()),
    always=r"\|Trend ?Micro[^|]*\|",
    recognise=r"(?:CEF:\s?\d|LEEF: ?[12]\.0)\|Trend Micro\|(?:Deep Security|Workload Security|Vision One Server)",
    leftovers="trendmicro.deep_security",
    rename={
        "cef.vendor": "observer.vendor",
        "cef.product": "observer.product",
        "cef.version": "observer.version",
        "cef.class": "rule.id",
        "spt": "source.port",
        "dpt": "destination.port",
        "smac": "source.mac",
        "dmac": "destination.mac",
        "out": "source.bytes",
        "in": "destination.bytes",
        "fsize": "file.size",
        "suid": "source.user.id",
        "serial": "device.serial_number",
    },
    ignore=(
        *(
            "src",
            "dst",
            "dvc",
            "dvchost",
            "suser",
            "duser",
            "sproc",
            "act",
            "filePath",
            "fname",
            "fileHash",
            "request",
        ),
        *("msg", "proto", "cef.name", "cef.severity", "processName", "fileName", "result", "shost", "target"),
    ),
)
# The first id of each range → event.kind, event.category, event.type.
_RANGES = (
    (0, "event", "network,intrusion_detection", "info"),
    (10, "alert", "intrusion_detection", "info"),
    (20, "event", "network", "info"),
    (30, "event", "file", "change"),
    (40, "event", "host", "info"),
    (100, "event", "network", "info"),
    (200, "event", "intrusion_detection", "error"),
    (500, "alert", "intrusion_detection,network", "info"),
    (600, "event", "host", "info"),
    (1_000_000, "alert", "intrusion_detection,network", "info"),
    (2_000_000, "event", "file", "change"),
    (3_000_000, "event", "host", "info"),
    (4_000_000, "alert", "malware", "info"),
    (5_000_000, "alert", "web,network", "info"),
    (6_000_000, "alert", "process", "info"),
    (7_000_000, "event", "host", "info"),
)
_SIGN_INS = ["600", "601", "602", "603", "608"]
_REFUSED = ["603", "608"]
_NAMES = {
    "10": "Custom Intrusion Prevention rule",
    "20": "Log-only Firewall rule",
    "21": "Deny Firewall rule",
    "30": "Custom Integrity Monitoring rule",
    "40": "Custom Log Inspection rule",
}


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the range that the signature id lies in; the manager's sign-ins by their ids."""
    code, number = raw["cef.class"], e.whole(raw["cef.class"])
    manager = raw["cef.product"].str.contains("Manager", literal=True)
    signs_in = manager & code.is_in(_SIGN_INS)

    def of(part: int) -> pl.Expr:
        found = e.nothing()
        for start, *values in _RANGES:
            found = pl.when(number >= start).then(pl.lit(values[part])).otherwise(found)
        return found

    action = e.first(e.present(raw["act"]), e.present(raw["result"]))
    told = action.str.to_lowercase()
    let = told.str.contains("^(?:log|pass|allow|detect|updated|created|renamed|deny:detect|ids)")
    stopped = told.str.contains("^(?:deny|block|reset|drop|delet|quarantin|clean|terminat|insert|reject)") | (
        code == "21"
    )
    refused = manager & code.is_in(_REFUSED)
    return {
        "@timestamp": e.time_or(f.time(e.present(raw["rt"])), pl.col("header.timestamp")),
        "event.kind": pl.when(manager).then(pl.lit("event")).otherwise(of(0)).fill_null("event"),
        "event.category": pl.when(signs_in)
        .then(e.texts("authentication"))
        .when(manager)
        .then(e.texts("configuration"))
        .otherwise(of(1).fill_null("host").str.split(",")),
        "event.type": pl.when(signs_in & (code == "600"))
        .then(e.texts("start"))
        .when(signs_in)
        .then(e.texts("end"))
        .when(stopped & ~let)
        .then(e.texts("denied"))
        .otherwise(of(2).fill_null("info").str.split(",")),
        "event.action": e.first(action, pl.when(manager).then(raw["cef.name"])),
        "event.outcome": pl.when(refused).then(pl.lit("failure")).when(signs_in | stopped).then(pl.lit("success")),
        "event.reason": e.first(f.custom(raw, "actionReason"), e.present(raw["msg"]), raw["cef.name"]),
        "event.severity": e.whole(raw["cef.severity"]),
        "event.code": code,
        "rule.name": e.first(e.mapped(code, _NAMES), raw["cef.name"]),
    }  # fmt: skip


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """The protected machine, both ends of the traffic, the account."""
    device = e.present(raw["dvc"])
    address = e.ip(device)
    domain, name = f.account(e.present(raw["suser"]))
    proto = e.present(raw["proto"])
    return {
        "host.name": e.first(e.present(raw["dvchost"]), e.not_ip(device)),
        "host.ip": pl.when(address.is_not_null()).then(pl.concat_list(address)),
        "observer.hostname": pl.col("header.host"),
        "source.ip": e.ip(e.present(raw["src"])),
        "source.domain": e.present(raw["shost"]),
        "destination.ip": e.ip(e.present(raw["dst"])),
        "network.transport": e.first(e.transport(proto), proto.str.to_lowercase()),
        "source.user.name": name,
        "user.name": name,
        "user.domain": domain,
        "user.target.name": e.present(raw["target"]),
    }


@source.derive
def objects(raw: Raw) -> dict[str, pl.Expr]:
    """File, process, address; digests have keys of their own in anti-malware events."""
    path = f.windows_path(e.first(*(e.present(raw[key]) for key in ("filePath", "fname", "fileName"))))
    runs = f.windows_path(e.first(e.present(raw["sproc"]), e.present(raw["processName"])))
    asked = e.present(raw["request"])
    domain = asked.str.extract(r"^(?:[A-Za-z][A-Za-z0-9+.\-]*://)?([^/:?#\s]+)")
    digests = (raw[f"TrendMicroDsFile{kind}"] for kind in ("MD5", "SHA1", "SHA256"))
    own = (f.custom(raw, kind) for kind in ("md5", "sha1", "sha256"))
    return {
        "file.path": path,
        "file.name": f.base(path),
        **f.hashes(raw["fileHash"], *digests, *own),
        "process.executable": pl.when(runs.str.contains(r"[\\/]")).then(runs),
        "process.name": f.base(runs),
        **e.url_columns(asked),
        "url.domain": domain,
        "message": e.present(raw["msg"]),
    }
