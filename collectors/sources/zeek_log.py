r"""Zeek: any of its logs as JSON (`redef LogAscii::use_json = T`), by `_path` or by the fields that only that log has.

Source: Zeek, "Log Formats" (book.zeek.org: conn, dns, http, ssl, files, smtp, ssh, rdp, kerberos, ntlm, smb_files,
smb_mapping, dce_rpc, ftp, x509, notice, weird, dhcp, tunnel, pe, software). Field names are kept as `zeek.<name>`, which
Sigma's Zeek rules read. Tab-separated files are read whole only (`collectors.zeek_table`): their columns are named in
`#fields` lines that a line alone does not have.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields
from collectors.shapes.lines import lines
from collectors.source import Raw, Source
from hinomi import ecs

_OURS = r'"(?:_path|uid|id\.orig_h|fuid|note)"\s*:'
_LISTS = ("answers", "TTLs", "tx_hosts", "rx_hosts", "conn_uids", "resp_fuids", "orig_fuids", "resp_mime_types",
          "orig_mime_types", "to", "rcptto", "san.dns", "domain", "tags")  # fmt: skip
# The log that a field belongs to, where `_path` is not written. The first that fits.
_SIGNS = (
    ("notice", "note"), ("dns", "qtype_name"), ("dns", "rcode_name"), ("http", "status_code"), ("http", "uri"),
    ("kerberos", "request_type"),
    ("ssl", "cipher"), ("ssl", "server_name"), ("conn", "conn_state"), ("files", "seen_bytes"), ("smtp", "mailfrom"),
    ("smtp", "helo"), ("ssh", "auth_attempts"), ("rdp", "cookie"), ("ntlm", "domainname"),
    ("dce_rpc", "endpoint"), ("smb_mapping", "share_type"), ("smb_files", "action"), ("ftp", "command"),
    ("dhcp", "msg_types"), ("x509", "certificate.serial"), ("tunnel", "tunnel_type"), ("weird", "peer"),
)  # fmt: skip
_CATEGORIES = {
    "http": ("network", "web"), "files": ("file",), "smb_files": ("file", "network"), "smtp": ("email", "network"),
    "notice": ("intrusion_detection",), "weird": ("network",), "x509": ("file",), "pe": ("file",),
    "kerberos": ("network", "authentication"), "ntlm": ("network", "authentication"),
    "ssh": ("network", "session"), "rdp": ("network", "session"),
}  # fmt: skip

source = Source(
    name="zeek.log",
    title={"ja": "Zeek(通信記録)", "en": "Zeek network monitor"},
    zone_hint="internal",
    shape=either(_OURS, json_fields(_LISTS), lines(r"^\b\B")),
    recognise=(
        r'"ts"\s*:\s*"?[\d.\-T:Z]+"?.*"(?:uid"\s*:\s*"C|id\.orig_h"|fuid"\s*:\s*"F|_path")'
        r'|"_path"\s*:.*"ts"\s*:\s*"?[\d.\-T:Z]+'
    ),
    unlike=r'"event_type"\s*:',
    leftovers="zeek",
    constants={"event.kind": "event", "observer.product": "Zeek"},
    ignore=("ts", "_write_ts"),
)
_NOTHING = ("-", "(empty)", "")


def _said(raw: Raw, *names: str) -> pl.Expr:
    value = e.first(*(raw[name] for name in names))
    return pl.when(~value.is_in(_NOTHING)).then(value)


def path(raw: Raw) -> pl.Expr:
    """Which log a record is of."""
    found = [pl.when(raw[sign].is_not_null()).then(pl.lit(name)) for name, sign in _SIGNS]
    return e.first(raw["_path"], *found)


@source.derive
def connection(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends, how much, how long."""
    seconds = raw["duration"].cast(pl.Float64, strict=False)
    sane = pl.when(seconds.is_between(0, 10**8)).then(seconds)
    ours, theirs = (e.whole(raw[name].str.extract(r"^(\d+)")) for name in ("orig_bytes", "resp_bytes"))
    here, there = raw["local_orig"], raw["local_resp"]
    return {
        "@timestamp": e.time_or(times.parsed(raw["ts"], ["epoch", times.ISO], "UTC")),
        "source.ip": e.ip(_said(raw, "id.orig_h", "src", "client_addr", "tx_hosts")),
        "source.port": e.whole(_said(raw, "id.orig_p")),
        "source.mac": _said(raw, "orig_l2_addr", "mac").str.to_uppercase().str.replace_all(":", "-"),
        "source.bytes": e.first(e.whole(_said(raw, "orig_ip_bytes")), ours),
        "source.packets": e.whole(_said(raw, "orig_pkts")),
        "destination.ip": e.ip(_said(raw, "id.resp_h", "dst", "server_addr", "rx_hosts")),
        "destination.port": e.whole(_said(raw, "id.resp_p", "p")),
        "destination.mac": _said(raw, "resp_l2_addr").str.to_uppercase().str.replace_all(":", "-"),
        "destination.bytes": e.first(e.whole(_said(raw, "resp_ip_bytes")), theirs),
        "destination.packets": e.whole(_said(raw, "resp_pkts")),
        "event.duration": (sane * 10**9).cast(pl.Int64, strict=False),
        "network.transport": _said(raw, "proto").str.to_lowercase(),
        "network.protocol": e.first(_said(raw, "service").str.to_lowercase(), path(raw).replace({"conn": None})),
        "network.community_id": _said(raw, "community_id"),
        "network.direction": pl.when((here == "true") & (there == "true")).then(pl.lit("internal"))
        .when(here == "true").then(pl.lit("outbound")).when(there == "true").then(pl.lit("inbound")),
        "event.provider": path(raw),
    }  # fmt: skip


@source.derive
def content(raw: Raw) -> dict[str, pl.Expr]:
    """What was asked, sent and signed in with."""
    web = path(raw) == "http"
    uri = pl.when(web).then(_said(raw, "uri"))
    host = pl.when(web).then(_said(raw, "host"))
    name = e.first(_said(raw, "filename"), pl.when(path(raw) == "smb_files").then(_said(raw, "name")))
    user, realm = _said(raw, "user", "username"), _said(raw, "client").str.extract_groups(r"^([^/]+)/(.+)$").struct  # fmt: skip
    answers = _said(raw, "answers").str.split(ecs.BETWEEN)
    resolved = answers.list.eval(e.ip(pl.element())).list.drop_nulls()
    good = e.first(raw["auth_success"], raw["success"], raw["established"])
    return {
        "dns.question.name": pl.when(path(raw) == "dns").then(_said(raw, "query")),
        "dns.question.type": _said(raw, "qtype_name"),
        "dns.question.class": _said(raw, "qclass_name").replace({"C_INTERNET": "IN"}),
        "dns.response_code": _said(raw, "rcode_name"),
        "dns.id": pl.when(path(raw) == "dns").then(_said(raw, "trans_id")),
        "dns.answers.data": answers,
        "dns.resolved_ip": pl.when(resolved.list.len() > 0).then(resolved),
        "url.original": uri,
        "url.domain": host,
        "url.path": uri.str.extract(r"^([^?]*)"),
        "url.query": uri.str.extract(r"\?(.*)$"),
        "http.request.method": pl.when(web).then(_said(raw, "method")),
        "http.request.referrer": _said(raw, "referrer"),
        "http.response.status_code": e.whole(_said(raw, "status_code")),
        "http.version": pl.when(web).then(_said(raw, "version")),
        "user_agent.original": _said(raw, "user_agent"),
        "tls.client.server_name": _said(raw, "server_name"),
        "tls.cipher": _said(raw, "cipher"),
        "tls.client.ja3": _said(raw, "ja3"),
        "destination.domain": e.first(_said(raw, "server_name"), host),
        "file.name": name.str.extract(r"([^\\/]+)$"),
        "file.path": pl.when(name.str.contains(r"[\\/]")).then(name),
        "file.size": e.whole(_said(raw, "total_bytes", "size")),
        "file.mime_type": _said(raw, "mime_type"),
        **{f"file.hash.{kind}": _said(raw, kind) for kind in ("md5", "sha1", "sha256")},
        "user.name": e.first(user, realm.field("1")),
        "user.domain": e.first(_said(raw, "domainname"), realm.field("2")),
        "email.subject": pl.when(path(raw) == "smtp").then(_said(raw, "subject")),
        "email.from.address": _said(raw, "mailfrom").str.strip_chars("<>"),
        "rule.name": _said(raw, "note"),
        "message": _said(raw, "msg"),
        "event.outcome": pl.when(good == "true").then(pl.lit("success")).when(good == "false").then(pl.lit("failure")),
    }  # fmt: skip


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by log; a notice is Zeek's own alarm."""
    name = path(raw)
    return {
        "event.action": e.first(_said(raw, "operation", "action", "command", "request_type"), name),
        "event.kind": pl.when(name == "notice").then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.category": e.first(e.listed(name, _CATEGORIES), e.texts("network")),
        "event.type": pl.when(name == "conn").then(e.texts("connection", "end"))
        .when(name.is_in(["dns", "http", "ssl", "dhcp", "smtp", "dce_rpc"])).then(e.texts("protocol"))
        .otherwise(e.texts("info")),
    }  # fmt: skip


@source.refine
def lists(frame: pl.DataFrame) -> pl.DataFrame:
    """Zeek's sets and vectors stay lists under Zeek's own names, too."""
    held = [name for name in (f"zeek.{one}" for one in _LISTS) if frame.schema.get(name) == pl.String]
    return frame.with_columns(pl.col(name).str.split(ecs.BETWEEN) for name in held)
