"""WireGuard in the Linux kernel: handshakes, keypairs and refused packets, as dynamic debug writes them.

Source: Linux drivers/net/wireguard (device.c, receive.c, send.c, timers.c, noise.c): the texts of its `net_dbg_ratelimited`
and `pr_debug` calls; they appear once `echo module wireguard +p > /sys/kernel/debug/dynamic_debug/control` is set. WireGuard
knows keys, not people: a peer's number is the interface's own.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_HEAD = r"^(?:\[ *\d+\.\d+\] ?)?(?:wireguard: )?(?P<interface>[0-9A-Za-z_.\-]{1,15}): "
_PEER = r"peer (?P<peer_id>\d+) \((?P<src>\[?[0-9A-Fa-f:.]+?\]?):(?P<port>\d+)\)"
_BARE = r"(?P<src>\[?[0-9A-Fa-f:.]+?\]?):(?P<port>\d+)"
_TABLE = {
    "refused": _HEAD
    + (
        rf"(?P<reason>Invalid handshake (?:initiation|response)|Invalid MAC of handshake,"
        rf" dropping packet|Packet has (?:unallowed src IP|incorrect size|invalid nonce)[^"
        rf"(]*?|Receiving (?:keepalive|handshake)[^(]*? invalid[^(]*?)(?: \((?P<inner>[0-9A-Fa-f:.]+)\))?"
        rf" from (?:{_PEER}|{_BARE.replace('src', 'src2').replace('port', 'port2')}).*$"
    ),
    "unanswered": _HEAD
    + rf"(?P<reason>Handshake) for {_PEER} did not complete after \d+ (?:seconds|attempts), (?P<what>retrying|giving up).*$",
    "handshake": _HEAD
    + (
        rf"(?P<what>Receiving|Sending) (?P<reason>handshake (?:initiation|response)|keepalive"
        rf" packet|cookie response) (?:from|to|for) (?:{_PEER}|"
        rf"{_BARE.replace('src', 'src2').replace('port', 'port2')}).*$"
    ),
    "keypair": _HEAD
    + (
        r"(?P<reason>Keypair \d+) (?P<what>created|destroyed) for peer (?P<peer_id>\d+)$|^.*?"
        r"(?P<interface2>[0-9A-Za-z_.\-]{1,15}): Zeroing out all keys for peer.*$"
    ),
    "peer": _HEAD
    + r"(?:Peer (?P<peer_id>\d+) (?:\S+ )?(?P<what>created|destroyed)|Interface (?P<what2>created|destroyed|deleted))$",
}
_ACTIONS = {
    "refused": "handshake-refused",
    "unanswered": "handshake-unanswered",
    "handshake": "handshake",
    "keypair": "keypair",
    "peer": "peer",
}

source = Source(
    name="wireguard.kernel",
    title={"ja": "WireGuard(Linux カーネル)", "en": "WireGuard (Linux kernel)"},
    zone_hint="telework",
    shape=patterns(_TABLE),
    recognise=r"\bwireguard: \S{1,15}: (?:Invalid|Receiving|Sending|Handshake|Keypair|Peer|Packet|Interface|Zeroing)",
    leftovers="wireguard",
    constants={"event.kind": "event", "observer.product": "WireGuard", "network.transport": "udp"},
    rename={"text": "message", "peer_id": "wireguard.peer_id", "inner": "wireguard.inner_ip"},
    ignore=("src", "src2", "port", "port2", "interface", "interface2", "what", "what2", "reason", "pattern"),
)


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """Which peer, where from, and what came of it."""
    name, what = raw["pattern"], e.first(raw["what"], raw["what2"])
    address = e.first(raw["src"], raw["src2"]).str.strip_chars("[]")
    refused = name == "refused"
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp"), pl.col("received")),
        "host.name": pl.col("header.host"),
        "source.ip": e.ip(address),
        "source.port": e.whole(e.first(raw["port"], raw["port2"])),
        "observer.ingress.interface.name": e.first(raw["interface"], raw["interface2"]),
        "network.protocol": pl.lit("wireguard"),
        "event.action": e.mapped(name, _ACTIONS),
        "event.reason": raw["reason"].str.to_lowercase(),
        "event.category": e.texts("network", "session"),
        "event.type": pl.when(refused)
        .then(e.texts("denied"))
        .when(what.is_in(["created"]))
        .then(e.texts("start"))
        .when(what.is_in(["destroyed", "deleted"]))
        .then(e.texts("end"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(refused | (name == "unanswered"))
        .then(pl.lit("failure"))
        .when((name == "keypair") & (what == "created"))
        .then(pl.lit("success")),
    }
