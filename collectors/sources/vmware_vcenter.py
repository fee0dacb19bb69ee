"""VMware vCenter Server: events of the inventory, Single Sign-On's audit log, its services' logs and requests.

The texts and their sources are in `collectors.vmware.vcenter`. An event's seventh part is the data centre or host
that it is about. Of `<TCP 'a'>, <TCP 'b'>` the first is named the source.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import own_clock, patterns
from collectors.source import Raw, Source
from collectors.vmware.vcenter import APPS, OWN_CLOCK, TABLE

source = Source(
    name="vmware.vcenter",
    title={"ja": "VMware vCenter Server", "en": "VMware vCenter Server"},
    zone_hint="internal",
    shape=own_clock(OWN_CLOCK, patterns(TABLE, APPS)),
    recognise=(
        r"\bEvent \[\d+\] \[\d+-\d+\] \[[^\]]+\] \[(?:vim|com\.vmware|esx)\.|\[auditlogger\] \{|\bcom\.vmware\.\w+\.(?:server|Login)"
        r"|\b(?:vpxd|envoy|websso|vpxd-svcs|sso)\[\d+(?::[^\]]*)?\] \[(?:Originator@|CorId=)"
    ),
    leftovers="vmware.vcenter",
    constants={"event.kind": "event", "observer.vendor": "VMware", "observer.product": "vCenter"},
    rename={
        "text": "message",
        "port": "source.port",
        "dport": "destination.port",
        "method": "http.request.method",
        "version": "http.version",
        "level": "log.level",
        "command": "process.command_line",
        "pwd": "process.working_directory",
        "becomes": "user.effective.name",
        "received_bytes": "http.request.bytes",
        "sent_bytes": "http.response.bytes",
        "type": "event.code",
    },
    ignore=(
        *(
            "clock",
            "pattern",
            "user",
            "account",
            "src",
            "dst",
            "own",
            "on",
            "reason",
            "what",
            "agent",
            "agent2",
        ),
        *("url", "status", "code", "audit", "fault", "pid"),
    ),
)
_SIGN_INS = ["event-sign-in", "event-refused", "audit"]
_NAMED = ["request", "quoted-request", "fault", "command"]
_SESSIONS = ["event-session", "event-ssh"]
_CHANGES = (
    r"\.(?:Vm|Host|Cluster|Datastore|Role|Permission|Account|User|Resource|DVS|Dvs|Alarm|Task)\w*"
    r"(?:Reconfigured|Created|Removed|Added|Updated|Changed|Destroyed|Renamed|Deleted|Upgraded|PoweredOn|PoweredOff|Suspended)\w*Event$"
)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: sign-ins from three logs, changes of the inventory by the event's type."""
    name, what, told = raw["pattern"], raw["what"], _told(raw, "type")
    code = e.first(raw["type"], told, raw["fault"])
    failed = (
        (what == "Failed")
        | (name == "event-refused")
        | told.str.contains("Failure")
        | code.str.contains("InvalidLogin|BadUsername")
    )
    ended = (what.is_in(["out", "closed"])) | told.str.contains("Logout") | code.str.contains("LogoutSession")
    signs = name.is_in([*_SIGN_INS, *_SESSIONS]) | code.str.contains("Login|HostConnectedEvent$")
    done = name.is_in([*_SIGN_INS, *_SESSIONS]) | code.str.contains("HostConnectedEvent$")
    changed = code.str.contains(_CHANGES)
    requests = name.is_in(["request", "quoted-request"])
    text = e.first(_told(raw, "description"), raw["reason"])
    return {
        "@timestamp": e.time_or(times.parsed(raw["clock"], [times.ISO], "UTC"), pl.col("header.timestamp")),
        "event.code": code,
        "event.category": pl.when(signs)
        .then(e.texts("authentication"))
        .when(changed)
        .then(e.texts("configuration"))
        .when(requests)
        .then(e.texts("web", "network"))
        .when(name == "command")
        .then(e.texts("process"))
        .otherwise(e.texts("host")),
        "event.type": pl.when(signs & ended.fill_null(False))
        .then(e.texts("end"))
        .when(signs | (name == "command"))
        .then(e.texts("start"))
        .when(changed)
        .then(_change(code))
        .when(requests)
        .then(e.texts("access"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed.fill_null(False)).then(pl.lit("failure")).when(done).then(pl.lit("success")),
        "event.action": e.first(told, raw["type"].str.extract(r"([^.]+)$"), pl.when(name.is_in(_NAMED)).then(name)),
        "event.reason": e.present(text),
        "http.response.status_code": e.first(
            e.whole(raw["status"]), e.whole(raw["code"]), e.whole(text.str.extract(r"with response code (\d{3})"))
        ),
    }  # fmt: skip


def _change(code: pl.Expr) -> pl.Expr:
    created = code.str.contains("Created|Added")
    gone = code.str.contains("Removed|Destroyed|Deleted")
    return (
        pl.when(created)
        .then(e.texts("creation"))
        .when(gone)
        .then(e.texts("deletion"))
        .otherwise(e.texts("change"))
    )


def _told(raw: Raw, name: str) -> pl.Expr:
    """A value of Single Sign-On's JSON; null where it is none."""
    return raw["audit"].str.extract(rf'"{name}":"((?:[^"\\]|\\.)*)"')


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    r"""Who, from where. Accounts are `DOMAIN\name` or `name@domain`."""
    written = e.present(e.first(raw["user"], _told(raw, "user"), raw["account"]))
    who = written.str.extract_groups(r"^(?:([^\\]+)\\+)?(.+?)(?:@([^@]+))?$").struct
    src, dst = (e.first(value.str.strip_chars("[]"), e.nothing()) for value in (raw["src"], raw["dst"]))
    client = e.first(src, _told(raw, "client"))
    return {
        "user.name": who.field("2"),
        "user.domain": e.first(who.field("1"), who.field("3")),
        "source.ip": e.ip(client),
        "source.domain": e.not_ip(client),
        "destination.ip": e.ip(dst),
        "process.name": e.first(raw["program"], pl.col("header.app")),
        "vmware.vcenter.datacenter": e.present(raw["place"]),
        "host.name": e.first(pl.col("header.host"), e.present(raw["place"])),
        "host.ip": _list(e.first(e.ip(raw["on"]), e.ip(raw["own"]))),
        "user_agent.original": e.present(e.first(raw["agent"], raw["agent2"])),
        "process.pid": e.first(e.whole(raw["pid"]), e.whole(pl.col("header.pid"))),
        **e.url_columns(raw["url"]),
    }


def _list(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_not_null()).then(pl.concat_list(value))
