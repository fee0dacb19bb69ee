"""FortiGate: traffic, UTM, event and SSL-VPN logs, key=value and CEF, FortiOS 5.6 to 7.6.

Field meanings: Fortinet, FortiOS Log Message Reference; CEF names: the same, "CEF support". `eventtime` is
nanoseconds from 6.4 on and seconds before; milli- and microseconds are accepted, too.
"""

import polars as pl

from collectors import expressions as e
from collectors.fortinet.meaning import meaning
from collectors.narrow import DOCUMENT, EDGE, Text, Verbatim
from collectors.shapes import cef, either, key_value, renamed
from collectors.source import Raw, Source

CEF_NAMES = {
    "deviceExternalId": "devid",
    "externalId": "sessionid",
    "dvchost": "devname",
    "cat": "cef_cat",
    "act": "action",
    "src": "srcip",
    "spt": "srcport",
    "shost": "srchost",
    "smac": "srcmac",
    "dst": "dstip",
    "dpt": "dstport",
    "dhost": "hostname",
    "deviceInboundInterface": "srcintf",
    "deviceOutboundInterface": "dstintf",
    "app": "service",
    "duser": "user",
    "suser": "user",
    "sproc": "ui",
    "request": "url",
    "requestContext": "catdesc",
    "requestClientApplication": "agent",
    "requestMethod": "httpmethod",
    "fname": "filename",
    "fsize": "filesize",
    "in": "rcvdbyte",
    "out": "sentbyte",
    "outcome": "status",
    "deviceDirection": "direction",
    "sourceTranslatedAddress": "transip",
    "sourceTranslatedPort": "transport",
    "destinationTranslatedAddress": "tranip",
    "destinationTranslatedPort": "tranport",
    "cef.version": "osversion",
}

_END = rf'(?:{EDGE}|[",])'


def _pair(*keys: str, inner: str = "", number: bool = False) -> Text:
    """The value of any of these keys; inner: signs that are taken off its ends."""
    names = f"(?:{'|'.join(keys)})"
    return Text(
        marks=tuple(f"{key}=" for key in keys),
        before=rf'{names}="?{EDGE}*{inner}',
        after=inner + _END,
        empty=rf'{names}=(?:""|{_END})',
        number=number,
    )


VERBATIM = Verbatim(
    columns={
        "event.action": _pair("action"),
        "user_agent.original": _pair("agent"),
        "http.request.method": _pair("httpmethod"),
        "dns.question.name": _pair("qname", inner=r"[\[\]]*"),
        "dns.question.type": _pair("qtype"),
        "url.original": _pair("url"),
        "url.domain": Text(marks=("url=", "hostname=", "remotename=")),
        "url.path": Text(marks=("url=",)),
        "url.extension": Text(marks=("url=",), before=r"\.", after="[^a-z0-9]"),
        "file.name": Text(marks=("filename=", "url=")),
        "rule.name": _pair("policyname", "virus", "attack"),
        "source.ip": Text(),
        "destination.ip": _pair("dstip", "locip"),
        "destination.port": _pair("dstport", "locport", number=True),
        "fortinet.fortigate.*": _pair("{name}_?"),
    },
    where={
        ("event.category", "malware"): ("virus",),
        ("event.category", "web"): ("webfilter", "waf", "rest-api", "icap"),
        ("event.category", "intrusion_detection"): ("ips", "anomaly", "waf", "virtual-patch"),
        ("event.category", "email"): ("emailfilter",),
        ("event.category", "file"): ("dlp", "file-filter", "cifs"),
    },
    always=(r"\|fortinet\|", DOCUMENT),  # CEF has other names and escapes
    escapes=False,
    signs=r" !#-\[\]-~",
    own="a-z0-9_-",
    joints=":/",
)

source = Source(
    name="fortinet.fortigate",
    title={"ja": "FortiGate ファイアウォール・SSL-VPN", "en": "FortiGate firewall and SSL VPN"},
    zone_hint="perimeter",
    shape=either(
        r"(?:CEF:\s?|^(?:<\d+>)?)\d\|Fortinet\|",
        renamed(cef(), CEF_NAMES, prefixes=("FTNTFGT", "FortinetFortiGate")),
        key_value(quote='"', comma=True, needs=("devid", "logid", "subtype", "eventtime")),
    ),
    verbatim=VERBATIM,
    recognise=r'\bdevid="?F[GWP]|\blogid="?\d{8,10}"?.*\bsubtype=|\b\d\|Fortinet\|Forti[Gg]ate[^|]*\|',
    leftovers="fortinet.fortigate",
    constants={"observer.vendor": "Fortinet", "observer.product": "FortiGate", "observer.type": "firewall"},
    rename={
        "action": "event.action",
        "agent": "user_agent.original",
        "devname": "observer.hostname",
        "direction": "fortinet.fortigate.direction",
        "dstcountry": "destination.geo.country_name",
        "filesize": "file.size",
        "filetype": "file.extension",
        "level": "log.level",
        "msg": "message",
        "osversion": "observer.version",
        "policyid": "rule.id",
        "policytype": "rule.category",
        "poluuid": "rule.uuid",
        "srccountry": "source.geo.country_name",
        "tz": "event.timezone",
    },
    # The header of CEF repeats what the extension says; the others become ECS fields below.
    ignore=(
        *("cef.vendor", "cef.product", "cef.class", "cef.name", "cef.severity", "date", "time", "timestamp"),
        *(
            "devid",
            "logid",
            "device_id",
            "log_id",
            "eventtime",
            "duration",
            "proto",
            "service",
            "app",
            "user",
            "group",
            "reason",
            "hostname",
        ),
        *(f"{end}{part}" for end in ("src", "dst") for part in ("ip", "port", "intf", "mac", "name")),
        *("transip", "transport", "tranip", "tranport", "sentpkt", "rcvdpkt", "sentdelta", "rcvddelta"),
        *("url", "httpmethod", "referralurl", "qname", "qtype", "qclass", "ipaddr", "filename", "virus"),
        *("analyticscksum", "filehash", "from", "to", "sender", "recipient", "subject", "policyname"),
    ),
)


@source.derive
def timestamp(raw: Raw) -> dict[str, pl.Expr]:
    """@timestamp from eventtime, whose digits tell the unit, else from date, time and zone."""
    count = e.whole(raw["eventtime"])
    unit = (
        pl.when(count >= 10**17)
        .then(1)
        .when(count >= 10**14)
        .then(10**3)
        .when(count >= 10**11)
        .then(10**6)
        .otherwise(10**9)
    )
    sane = pl.when(count.is_between(10**8, 9 * 10**18)).then(count * unit)
    clock = pl.concat_str(raw["date"], raw["time"], separator=" ").str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="us", strict=False
    )
    offset = raw["tz"].str.extract_groups(r"([+-])(\d\d?):?(\d\d)?").struct
    minutes = e.whole(offset.field("2")) * 60 + e.whole(offset.field("3")).fill_null(0)
    east = pl.when(offset.field("1") == "-").then(-minutes).otherwise(minutes)
    zoned = (clock - pl.duration(minutes=east)).dt.replace_time_zone("UTC")
    written = pl.when(minutes.is_not_null()).then(zoned).otherwise(e.local(clock))
    header = pl.col("header.timestamp")
    stored = e.first(e.whole(raw["itime"]), e.whole(raw["timestamp"]))
    other = pl.from_epoch(pl.when(stored.is_between(10**8, 10**10)).then(stored), "s").dt.replace_time_zone(
        "UTC"
    )
    return {
        "@timestamp": e.time_or(
            pl.from_epoch(sane, "ns").dt.replace_time_zone("UTC"),
            written,
            other.cast(pl.Datetime("ns", "UTC")),
            header,
        )
    }


@source.derive
def endpoints(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends: of traffic, of a VPN peer (remip, locip), of an administrator's session (ui)."""
    console = e.first(
        raw["ui"].str.extract(r"\(([0-9a-fA-F.:]+)\)"),
        raw["msg"].str.extract(r"^Administrator .*\bfrom \w+\(([0-9a-fA-F.:]+)\)"),
    )
    near = e.present(e.first(raw["srcip"], raw["remip"], raw["ip"], raw["userip"], raw["src"]))
    far = e.present(e.first(raw["dstip"], raw["locip"], raw["dst"]))
    leased = raw["dhcp_msg"].is_not_null()
    translated = e.first(raw["transip"], raw["tunnelip"], raw["assignip"])
    return {
        "source.ip": e.ip(e.first(near, console)),
        "source.domain": e.first(e.present(raw["srchost"]), e.not_ip(near)),
        "source.port": e.first(raw["srcport"], raw["remport"], raw["src_port"]),
        "source.mac": e.present(e.first(raw["srcmac"], raw["mastersrcmac"], raw["mac"], raw["stamac"])),
        "source.nat.ip": e.ip(e.present(translated)),
        "source.nat.port": raw["transport"],
        "destination.ip": e.ip(far),
        "destination.domain": e.first(_asked_host(raw), e.not_ip(far)),
        "destination.port": e.first(raw["dstport"], raw["locport"], raw["dst_port"]),
        "destination.mac": e.present(raw["dstmac"]),
        "destination.nat.ip": e.ip(e.present(raw["tranip"])),
        "destination.nat.port": raw["tranport"],
        "host.name": e.first(
            pl.when(_by_client(raw) | leased).then(e.present(raw["hostname"])), e.present(raw["srcname"])
        ),
    }


@source.derive
def people(raw: Raw) -> dict[str, pl.Expr]:
    """user.* and group.name; `N/A` is nobody."""
    domain, name = e.domain_user(
        e.first(e.present(e.first(raw["user"], raw["unauthuser"])), e.present(raw["xauthuser"]))
    )
    return {
        "user.name": name,
        "user.domain": domain,
        "source.user.name": name,
        "group.name": e.present(raw["group"]),
        "observer.serial_number": e.first(raw["devid"], raw["device_id"]),
        "event.code": e.first(raw["logid"], raw["log_id"]),
    }


@source.derive
def network(raw: Raw) -> dict[str, pl.Expr]:
    """network.*, interfaces, duration."""
    direction = {
        "0": "inbound",
        "1": "outbound",
        "incoming": "inbound",
        "outgoing": "outbound",
        "inbound": "inbound",
        "outbound": "outbound",
    }
    sent, received = _volume(raw, "sent"), _volume(raw, "rcvd")
    console = pl.when(raw["ui"].is_not_null()).then(e.present(raw["method"]))
    asked = pl.when(e.present(raw["qname"]).is_not_null()).then(pl.lit("dns"))
    return {
        "network.transport": e.transport(raw["proto"]),
        "network.iana_number": raw["proto"],
        "network.protocol": e.first(e.present(raw["service"]), console, asked).str.to_lowercase(),
        "network.application": e.present(raw["app"]).str.to_lowercase(),
        "network.direction": e.mapped(raw["direction"].str.to_lowercase(), direction),
        "network.bytes": sent + received,
        "source.bytes": sent,
        "destination.bytes": received,
        "source.packets": e.first(raw["sentpkt"], _labelled(raw, "Packets Sent")),
        "destination.packets": e.first(raw["rcvdpkt"], _labelled(raw, "Packets Received")),
        "observer.ingress.interface.name": e.present(e.first(raw["srcintf"], raw["src_int"])),
        "observer.egress.interface.name": e.present(e.first(raw["dstintf"], raw["outintf"], raw["dst_int"])),
        "event.duration": e.whole(e.first(raw["duration"], _labelled(raw, "Duration"))) * 10**9,
    }


def _volume(raw: Raw, way: str) -> pl.Expr:
    """Bytes since the session's last line where FortiOS says so: a sum over lines is then what went through."""
    return e.first(e.whole(raw[f"{way}delta"]), e.whole(raw[f"{way}byte"]))


def _labelled(raw: Raw, label: str) -> pl.Expr:
    """The CEF custom number of this label."""
    slots = ("cn1", "cn2", "cn3")
    return pl.coalesce(pl.when(raw[f"{slot}Label"] == label).then(raw[slot]) for slot in slots)


def _by_client(raw: Raw) -> pl.Expr:
    """Whether a FortiClient on the machine wrote the line: `hostname` is the machine, `remotename` what it asked."""
    return e.present(raw["fctsn"]).is_not_null()


def _asked_host(raw: Raw) -> pl.Expr:
    return e.present(pl.when(_by_client(raw)).then(raw["remotename"]).otherwise(raw["hostname"]))


@source.derive
def web_and_names(raw: Raw) -> dict[str, pl.Expr]:
    """url.*, http.*, dns.*: what web filter and DNS filter saw."""
    path = raw["url"].str.extract(r"^(?:\w+://[^/]*)?(/[^?#]*)")
    fetched = pl.when(raw["subtype"] == "app-ctrl").then(path.str.extract(r"([^/]+\.\w{1,8})$"))
    bracketed = e.present(raw["qname"]).str.strip_chars("[]")
    url = e.url_columns(e.present(raw["url"]))
    # A bare path belongs to `hostname`; which of the two web protocols it was, service and port tell.
    host = _asked_host(raw)
    bare = raw["url"].str.starts_with("/") & host.is_not_null()
    secure = raw["service"].str.to_uppercase().is_in(["HTTPS", "SSL"]) | (raw["dstport"] == "443")
    scheme = pl.when(secure.fill_null(False)).then(pl.lit("https")).otherwise(pl.lit("http"))
    whole = pl.concat_str(scheme, pl.lit("://"), host, raw["url"])
    return {
        **url,
        "url.domain": e.first(url["url.domain"], pl.when(bare).then(host)),
        "url.full": e.first(url["url.full"], pl.when(bare).then(whole)),
        "url.scheme": e.first(url["url.scheme"], pl.when(bare).then(scheme)),
        "http.response.status_code": e.whole(raw["statuscode"]),
        "http.request.method": e.present(raw["httpmethod"]),
        "http.request.referrer": e.present(raw["referralurl"]),
        "dns.question.name": bracketed,
        "dns.question.type": raw["qtype"],
        "dns.question.class": raw["qclass"],
        "file.name": e.first(e.present(raw["filename"]), fetched),
        "dns.resolved_ip": e.present(raw["ipaddr"]).str.replace_all(" ", "", literal=True).str.split(","),
    }


@source.derive
def files_and_mail(raw: Raw) -> dict[str, pl.Expr]:
    """file.hash.*, email.*, and the name of what was found, where no policy has one."""
    hashes = {"md5": 32, "sha1": 40, "sha256": 64}
    shown = [e.present(raw[name]) for name in ("analyticscksum", "filehash")]
    mail = pl.when(raw["subtype"] == "emailfilter")
    return {
        **{
            f"file.hash.{kind}": pl.coalesce(
                pl.when(value.str.contains(rf"^[0-9A-Fa-f]{{{size}}}$")).then(value.str.to_lowercase())
                for value in shown
            )
            for kind, size in hashes.items()
        },
        "email.from.address": mail.then(e.present(e.first(raw["from"], raw["sender"]))),
        "email.to.address": mail.then(e.present(e.first(raw["to"], raw["recipient"])).str.split(",")),
        "email.subject": mail.then(e.present(raw["subject"])),
        "rule.name": e.present(e.first(raw["policyname"], raw["virus"], raw["attack"])),
    }


source.derive(meaning)
