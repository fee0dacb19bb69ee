"""FortiMail: history (statistics), events of SMTP, antispam, antivirus, encryption.

Source: Fortinet, "FortiMail Log Message Reference". An SMTP event's `msg` is `key=value, key=value` of the mailer: its
relay is the next hop, so the destination. A checksum is FortiMail's own, kept where its file's hash would stand.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import either, key_value
from collectors.source import Raw, Source

_NEEDS = ("session_id", "log_id", "to", "mailer", "device_id")

source = Source(
    name="fortinet.fortimail",
    title={"ja": "FortiMail(メールゲートウェイ)", "en": "FortiMail secure e-mail gateway"},
    zone_hint="dmz",
    # Set to comma separated, a comma parts the pairs, too.
    shape=either(r"(?:^|>)date=[^\s,]+,", key_value(comma=True, needs=_NEEDS), key_value(needs=_NEEDS)),
    recognise=r"\bdevice_id=FE\w+|\btype=(?:statistics|spam|virus|encrypt|kevent)\b.*\bsession_id=|\bsubtype=smtp\b",
    constants={"event.kind": "event", "observer.vendor": "Fortinet", "observer.product": "FortiMail"},
    leftovers="fortinet.fortimail",
    rename={
        "device_id": "observer.serial_number",
        "log_id": "event.code",
        "client_name": "source.domain",
        "disposition": "event.action",
        "direction": "network.direction",
        "virus": "threat.indicator.name",
        "message_length": "source.bytes",
        "msg": "message",
        "policy_id": "rule.id",
        "polid": "rule.id",
    },
    ignore=(
        "date",
        "time",
        "from",
        "to",
        "hfrom",
        "subject",
        "client_ip",
        "dst_ip",
        "user",
        "src",
        "url",
        "domain",
        "relay",
    ),
)
_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"


@source.derive
def mail(raw: Raw) -> dict[str, pl.Expr]:
    """Who sent what to whom over which hop."""
    said = e.first(raw["msg"], pl.col("message"))
    kind = raw["type"]
    apart = pl.concat_str(raw["date"], raw["time"].str.extract(r"^(\d\d:\d\d:\d\d)"), separator=" ")
    naive = e.local(apart.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False))
    to = e.first(e.present(raw["to"]), said.str.extract(r"(?:^|[, ])to=([^,\s]+)")).str.strip_chars("<>")
    sender = e.first(
        e.present(raw["from"]), said.str.extract(r"(?:^|[, ])from=<?([^,>\s]+)")
    ).str.strip_chars("<>")
    relay = said.str.extract_groups(rf"\brelay= ?([^\s\[,]*) ?\[{_IP}\]").struct
    # `WebMail: Login for 'a@b' from 10.0.0.5 failed`, `WebMail: User a@b from 10.0.0.5 logged in.`
    signed = said.str.extract_groups(rf"\b(?:Login for|User) '?([^\s']+)'? from {_IP}").struct
    account = signed.field("1")
    delivered = said.str.starts_with("to=")
    checksum = said.str.extract(r"\(?checksum: ?([0-9A-Fa-f]+)\)")
    return {
        "@timestamp": e.time_or(naive, pl.col("header.timestamp")),
        "email.from.address": _one(sender),
        "email.to.address": _one(to),
        "email.subject": e.present(raw["subject"]),
        "email.message_id": said.str.extract(r"\bmsgid=<?([^>,\s]+)"),
        "user.email": pl.when(delivered & kind.is_not_null()).then(to),
        "user.name": pl.when(kind.is_in(["event", "kevent"])).then(
            e.first(account, e.present(raw["user"]).replace({"mail": None, "webmail": None}))
        ),
        "source.ip": e.first(
            e.ip(raw["client_ip"]),
            e.ip(raw["src"]),
            raw["ui"].str.extract(rf"\({_IP}\)"),
            signed.field("2"),
        ),
        "source.domain": e.first(e.present(raw["domain"]), e.present(raw["client_name"])),
        "destination.ip": e.first(e.ip(raw["dst_ip"]), relay.field("2")),
        "destination.domain": e.present(relay.field("1")),
        "network.protocol": e.first(said.str.extract(r"\bproto=(\w+)"), raw["mailer"]),
        "file.name": e.first(
            said.str.extract(r"^File name: ([^,(]+)"), said.str.extract(r"^File (\S+) \(checksum")
        ),
        "file.hash.sha256": checksum,
        "file.size": said.str.extract(r"\bsize=(\d+),"),
        **e.url_columns(e.first(e.present(raw["url"]), said.str.extract(r"\b(https?://[^\s\"']+)"))),
    }


def _one(address: pl.Expr) -> pl.Expr:
    """A list of one; null where there is none."""
    return pl.when(address.is_not_null()).then(pl.concat_list(address))


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: what became of the mail."""
    said, kind = raw["msg"], raw["type"]
    fate = raw["disposition"].str.to_lowercase()
    bad = kind.is_in(["spam", "virus"])
    denied = fate.str.contains(r"reject|discard|quarantine|defer") | said.str.contains(
        r"(?i)\bdetected\)|rejected"
    )
    sent = said.str.contains(r"stat=Sent")
    login = raw["action"].str.to_lowercase().is_in(["login", "logout"]).fill_null(False)
    login |= said.str.contains(r"^WebMail: (?:Login for|User \S+ from \S+ logged)").fill_null(False)
    status = raw["status"].str.to_lowercase()
    return {
        "event.category": pl.when(kind == "virus")
        .then(e.texts("malware", "email"))
        .when(login)
        .then(e.texts("authentication"))
        .otherwise(e.texts("email")),
        "event.type": pl.when(login)
        .then(
            pl.when(raw["action"].str.to_lowercase() == "logout")
            .then(e.texts("end"))
            .otherwise(e.texts("start"))
        )
        .when(denied)
        .then(e.texts("denied"))
        .otherwise(e.texts("info")),
        "event.kind": pl.when(bad & denied).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.outcome": pl.when(fate.str.starts_with("accept") | sent)
        .then(pl.lit("success"))
        .when(login & status.is_in(["success", "failure"]))
        .then(status)
        .when(denied | said.str.contains(r"stat=(?:Deferred|Service unavailable|User unknown)"))
        .then(pl.lit("failure")),
    }
