"""event.kind/category/type/action/outcome by ASA and FTD message id.

Source: the message descriptions of Cisco's syslog guide. The table says, for each id: category, type,
action, outcome; an id that it does not list is told by its class (first three digits).
"""

from typing import NamedTuple

import polars as pl

from collectors import expressions as e


class Meaning(NamedTuple):
    """Comma-separated lists; an empty text means none."""

    category: str
    type: str = "info"
    action: str = ""
    outcome: str = ""


_DENIED = Meaning("network", "connection,denied", "flow-denied", "success")
_BUILT = Meaning("network", "connection,start,allowed", "flow-creation", "success")
_TORN = Meaning("network", "connection,end", "flow-expiration", "success")
_IN = Meaning("authentication", "start", "logged-in", "success")
_NOT_IN = Meaning("authentication", "start", "logon-failed", "failure")
_SESSION = Meaning("session,network", "info", "vpn-session")
_SESSION_UP = Meaning("session,network", "start,connection", "vpn-session-started", "success")
_SESSION_END = Meaning("session,network", "end,connection", "vpn-session-ended", "success")

MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(
        ("106001", "106006", "106007", "106010", "106011", "106012", "106014", "106015"), _DENIED
    ),
    **dict.fromkeys(
        ("106016", "106017", "106021", "106022", "106023", "106103", "313001", "313004"), _DENIED
    ),
    **dict.fromkeys(("313005", "313008", "313009", "710003", "710004", "710005"), _DENIED),
    **dict.fromkeys(("106002", "305013", "401004"), _DENIED),
    **dict.fromkeys(("302013", "302015", "302020", "302017", "303002", "710002"), _BUILT),
    **dict.fromkeys(("302022", "302024", "302026", "302303"), _BUILT),
    **dict.fromkeys(("302014", "302016", "302021", "302018"), _TORN),
    **dict.fromkeys(("302023", "302025", "302027", "302304"), _TORN),
    "305011": Meaning("network", "start", "translation-created", "success"),
    "305012": Meaning("network", "end", "translation-removed", "success"),
    "304001": Meaning("network,web", "access,allowed", "url-accessed", "success"),
    "733102": Meaning("intrusion_detection,network", "denied", "host-shunned", "success"),
    "733103": Meaning("intrusion_detection,network", "info", "host-unshunned", "success"),
    "109005": _IN,
    "109006": _NOT_IN,
    "109007": Meaning("authentication", "allowed", "authorization-permitted", "success"),
    "109008": Meaning("authentication", "denied", "authorization-denied", "failure"),
    "109201": Meaning("iam,session", "user", "uauth-entry-added", "success"),
    "109031": _NOT_IN,
    "308001": _NOT_IN,
    "308002": _NOT_IN,
    "409023": Meaning("authentication", "info", "aaa-fallback"),
    "606001": Meaning("session", "start", "management-session-started", "success"),
    "606002": Meaning("session", "end", "management-session-ended", "success"),
    "606003": Meaning("session", "start", "management-session-started", "success"),
    "606004": Meaning("session", "end", "management-session-ended", "success"),
    "717009": Meaning("authentication", "info", "certificate-refused", "failure"),
    "717022": Meaning("authentication", "info", "certificate-accepted", "success"),
    "717027": Meaning("authentication", "info", "certificate-refused", "failure"),
    "717028": Meaning("authentication", "info", "certificate-accepted", "success"),
    "113004": _IN,
    "113005": _NOT_IN,
    "113006": Meaning("authentication,iam", "denied,user", "user-locked-out", "success"),
    "113007": Meaning("iam", "change,user", "user-unlocked", "success"),
    "113008": _IN,
    "113012": _IN,
    "113014": Meaning("authentication", "info", "aaa-server-unreachable", "failure"),
    "113015": _NOT_IN,
    "113016": _NOT_IN,
    "113017": _NOT_IN,
    "113019": _SESSION_END,
    "113021": _NOT_IN,
    "113039": _SESSION_UP,
    "111008": Meaning("configuration,process", "info", "command-executed", "success"),
    "111009": Meaning("configuration,process", "access", "command-executed", "success"),
    "111010": Meaning("configuration,process", "change", "command-executed", "success"),
    "502101": Meaning("iam", "user,creation", "user-added", "success"),
    "502102": Meaning("iam", "user,deletion", "user-deleted", "success"),
    "502103": Meaning("iam", "user,change", "user-privilege-changed", "success"),
    "605004": _NOT_IN,
    "605005": _IN,
    "611101": _IN,
    "611102": _NOT_IN,
    "611103": Meaning("authentication", "end", "logged-out", "success"),
    "609001": Meaning("network", "start", "local-host-created", "success"),
    "609002": Meaning("network", "end", "local-host-removed", "success"),
    "725001": Meaning("network", "start,protocol", "tls-handshake-started"),
    "725002": Meaning("network", "info,protocol", "tls-handshake-completed", "success"),
    "725006": Meaning("network", "error,protocol", "tls-handshake-failed", "failure"),
    "725007": Meaning("network", "end,protocol", "tls-session-ended", "success"),
    "713228": _SESSION_UP,
    "716001": _SESSION_UP,
    "716002": _SESSION_END,
    "716003": Meaning("network,web", "access,allowed", "url-accessed", "success"),
    "716004": Meaning("network,web", "access,denied", "url-refused", "failure"),
    "716038": _IN,
    "716039": _NOT_IN,
    "722022": _SESSION_UP,
    "722023": _SESSION_END,
    "722033": _SESSION_UP,
    "722034": _SESSION_UP,
    "722037": _SESSION_END,
    "722051": _SESSION_UP,
    "750003": Meaning("session,network", "info", "vpn-session", "failure"),
    "750006": _SESSION_UP,
    "750007": _SESSION_END,
    "430001": Meaning("intrusion_detection,network", "info", "intrusion-detected"),
    "430002": Meaning("network", "connection,start", "connection-started"),
    "430003": Meaning("network", "connection,end", "connection-finished"),
    "430004": Meaning("file,network", "info", "file-detected"),
    "430005": Meaning("malware,file", "info", "malware-detected"),
}
_CLASSES = {
    "106": _DENIED,
    "109": Meaning("authentication"),
    "111": Meaning("configuration"),
    "113": Meaning("authentication"),
    "302": Meaning("network", "connection"),
    "338": Meaning("network,threat", "indicator", "listed-address-seen"),
    "402": Meaning("network", "denied", "ipsec-packet-dropped"),
    "400": Meaning("intrusion_detection,network", "info", "signature-matched"),
    "502": Meaning("iam", "user"),
    "713": _SESSION,
    "716": _SESSION,
    "721": _SESSION,
    "722": _SESSION,
    "733": Meaning("intrusion_detection,network", "info", "threat-detected"),
    "737": _SESSION,
    "750": _SESSION,
}
ACTIONS = frozenset(
    [
        "flow-denied",
        "flow-permitted",
        *(one.action for table in (MEANINGS, _CLASSES) for one in table.values()),
    ]
)
"""Every `event.action` there is."""
_ALERTS = ("430001", "430005", "733102")


def columns(message_id: pl.Expr, result: pl.Expr) -> dict[str, pl.Expr]:
    """event.* for each line; `result` (what an access list says) decides where the id leaves it open."""
    denied = result.is_in(["denied", "Block", "Block with reset", "Blocked", "Drop", "Dropped"])
    group = message_id.str.slice(0, 3)

    def of(part: str) -> pl.Expr:
        exact = {key: getattr(value, part) for key, value in MEANINGS.items()}
        near = {key: getattr(value, part) for key, value in _CLASSES.items()}
        return pl.coalesce(e.mapped(message_id, exact), e.mapped(group, near))

    allowed = pl.when(result == "permitted").then(pl.lit("connection,allowed"))
    said = pl.when(denied).then(pl.lit("connection,denied")).otherwise(allowed)
    by_list = pl.when(message_id.is_in(["106100", "106102"]) | message_id.str.starts_with("430")).then(said)
    action = pl.when(by_list.is_not_null() & ~message_id.str.starts_with("430")).then(
        pl.when(denied).then(pl.lit("flow-denied")).otherwise(pl.lit("flow-permitted"))
    )
    alert = message_id.is_in(_ALERTS) | group.is_in(["338", "400", "733"])
    outcome = of("outcome")
    return {
        "event.kind": pl.when(alert).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.category": pl.coalesce(of("category"), pl.lit("network")).str.split(","),
        "event.type": pl.coalesce(by_list, of("type"), pl.lit("info")).str.split(","),
        "event.action": e.present(pl.coalesce(action, of("action"))),
        "event.outcome": pl.when(outcome != "").then(outcome),
    }
