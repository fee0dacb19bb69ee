"""Postfix: mail taken in, refused, delivered, with the greylisting and SPF services and spamd beside it.

The texts and their sources are in `collectors.mail.postfix`. The sending client is the source; the server
that mail is handed to is the destination, or the recipient's domain where a local service takes it. A client
without a name of its own is known by its HELO, else by the sender's domain.
"""

import polars as pl

from collectors import expressions as e
from collectors.mail.postfix import APPS, TABLE
from collectors.shapes import patterns
from collectors.source import Raw, Source

source = Source(
    name="postfix.mail",
    title={"ja": "Postfix メールサーバ", "en": "Postfix mail server"},
    zone_hint="dmz",
    shape=patterns(TABLE, APPS),
    recognise=(
        r"\bpostfix(?:-\w+)?/[\w\-/]+\[\d+\]: |\bpostfix/[\w\-/]+ \d+ \S+ |\bpostgrey\[|\bpolicyd-spf\["
        r"|^[0-9A-F]{8,12}: (?:to|from|client|message-id)=<?\S|^NOQUEUE: [a-z]+: [A-Z]+ from "
    ),
    leftovers="postfix",
    constants={"event.kind": "event", "network.protocol": "smtp"},
    rename={
        "text": "message",
        "id": "email.message_id",
        "uid": "user.id",
        "port": "source.port",
        "serverport": "destination.port",
        "tls": "tls.version",
        "cipher": "tls.cipher",
        "question": "dns.question.name",
    },
    ignore=(
        "pattern",
        "action",
        "what",
        "queue",
        "ip2",
        "client",
        "ip",
        "server",
        "serverip",
        "relay",
        "from",
        "to",
        "helo",
        "user",
        "reason",
        "proto",
    ),
)
_TYPES = {
    "spf-refused": "denied",
    "sign-in": "denied",
    "not-reached": "error",
    "broken": "error",
    "connected": "connection",
    "tls-in": "connection",
    "tls-out": "connection",
    "accepted": "allowed",
}
_NO_NAMES = ["unknown", "localhost", ""]


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: what became of the mail or the client. A policy service that lets mail on has succeeded."""
    name, status = raw["pattern"], raw["status"]
    signs_in = (name == "sign-in") | ((name == "accepted") & raw["user"].is_not_null())
    undelivered = (name == "delivery") & (status != "sent") & (status != "deliverable")
    returned = (name == "queued") & status.is_not_null()
    refused = name.is_in(["refused", "header", "proxied"]) & raw["action"].str.contains(r"reject$|discard")
    lost = (name == "broken") & raw["what"].str.starts_with("lost connection")
    begun = (name == "broken") & raw["what"].str.starts_with("setting up")
    failed = (name == "spf") & ((status == "Fail") | (raw["action"] == "reject"))
    done = name.is_in(["delivery", "policy", "spf", "connected", "accepted", "proxied"]) | lost
    kind = (
        pl.when(refused)
        .then(pl.lit("denied"))
        .when(~begun & (name != "refused"))
        .then(e.mapped(name, _TYPES))
    )
    told = name.is_in(["sign-in", "answered", "not-reached", "spf-refused"])
    bad = undelivered | returned | refused | failed | told | ((name == "broken") & ~lost & ~begun)
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "event.category": pl.when(signs_in)
        .then(e.texts("email", "authentication"))
        .otherwise(e.texts("email")),
        "event.type": pl.when(signs_in)
        .then(e.texts("start"))
        .otherwise(pl.concat_list(kind.fill_null("info"))),
        "event.action": e.first(raw["action"], status, raw["what"], pl.when(name != "other").then(name)),
        "event.outcome": pl.when(bad.fill_null(False))
        .then(pl.lit("failure"))
        .when(done)
        .then(pl.lit("success")),
        "event.reason": e.present(raw["reason"]),
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """The client and the server."""
    client, helo = e.present(raw["client"]), raw["helo"].str.strip_chars("[]")
    named = pl.when(~client.is_in(_NO_NAMES)).then(client)
    sender = _domain(raw["from"])
    relay = raw["relay"].str.extract_groups(r"^([^\[\]]+?)(?:\[([^\]]*)\])?(?::(\d+))?$").struct
    through = relay.field("2").is_not_null() | relay.field("3").is_not_null()
    host = pl.when(through & ~relay.field("1").is_in(_NO_NAMES)).then(relay.field("1"))
    bare = e.ip(pl.when(relay.field("2").is_null()).then(host))
    return {
        "source.ip": e.ip(e.first(raw["ip"], raw["ip2"])),
        "email.local_id": pl.when(raw["queue"] != "NOQUEUE").then(raw["queue"]),
        "source.domain": e.first(named, e.present(helo), sender, pl.when(client != "unknown").then(client)),
        "destination.ip": e.first(e.ip(raw["serverip"]), e.ip(relay.field("2")), bare),
        "destination.port": e.first(raw["serverport"], relay.field("3")),
        "destination.domain": e.first(
            raw["server"], pl.when(bare.is_null()).then(host), _domain(e.first(raw["to"], raw["receiver"]))
        ),
        "postfix.relay": raw["relay"],
        "postfix.helo": e.present(raw["helo"]),
        "host.name": pl.col("header.host"),
        "process.name": pl.col("header.app"),
        "process.pid": pl.col("header.pid"),
    }


def _domain(address: pl.Expr) -> pl.Expr:
    return address.str.extract(r"@([^@\s>]+)$")


@source.derive
def mail(raw: Raw) -> dict[str, pl.Expr]:
    """Sender, recipient, subject, attachment. A header's sender counts only where no envelope is logged."""
    header, value = raw["header"].str.to_lowercase(), raw["value"]
    shown = (
        pl.when(header == "from")
        .then(value)
        .str.extract(r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]+@[A-Za-z0-9.\-]+)")
    )
    sender = e.first(e.present(raw["from"]), shown)
    attached = pl.when(header.str.starts_with("content-")).then(value)
    return {
        "email.from.address": _list(sender),
        "email.to.address": _list(e.present(raw["to"])),
        "email.subject": pl.when(header == "subject").then(value),
        "file.name": attached.str.extract(r'(?:^|[^A-Za-z])(?:file)?name\*?=\s?"{0,2}([^";]+)'),
        "file.size": attached.str.extract(r"\bsize=(\d{1,18})"),
        "source.domain": e.first(ends(raw)["source.domain"], _domain(sender)),
        "user.name": e.present(raw["user"]),
        "network.transport": pl.lit("tcp"),
    }


def _list(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_not_null()).then(pl.concat_list(value))
