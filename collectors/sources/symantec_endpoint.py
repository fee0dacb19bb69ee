"""Symantec Endpoint Protection (Broadcom): what its manager (SEPM) sends over syslog, all logs.

Facts: Broadcom, "External Logging settings and log event severity levels for Endpoint Protection Manager";
the shape of the lines is in `collectors.symantec.lines`. Times are the manager's local time without a zone. The
client is the host; of its traffic the remote end is the source where it came in.
"""

import polars as pl

from collectors import expressions as e
from collectors.source import Raw, Source
from collectors.symantec.lines import SymantecLines

source = Source(
    name="symantec.endpoint",
    title={"ja": "Symantec Endpoint Protection", "en": "Symantec Endpoint Protection"},
    zone_hint="internal",
    shape=SymantecLines(),
    recognise=(
        r"\bSymantecServer: |,Category: \d+,[^,]*,\"?Event Description: |,CIDS Signature ID: |,Risk name: .*,Actual action: "
        r"|^(?:<\d+>)?Site: [^,]*,Server(?: Name)?: |^Scan ID: \d+,Begin: |,Begin: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,End(?: Time)?: "
    ),
    leftovers="symantec",
    constants={
        "event.kind": "event",
        "observer.vendor": "Broadcom",
        "observer.product": "Symantec Endpoint Protection",
    },
    rename={
        "Risk name": "threat.indicator.name",
        "File size (bytes)": "file.size",
        "Remote Host Name": "symantec.Remote Host Name",
        "CIDS Signature ID": "rule.id",
        "Group Name": "group.name",
    },
    ignore=(
        *("lead", "IP Address", "Computer name", "Computer", "File path", "Event time", "Begin", "Begin Time", "End Time"),
        *("End", "User Name", "User1", "User", "Local Host IP", "Local Host", "Local Host MAC", "Local Port"),
        *("Remote Host IP", "Remote Host", "Remote Host MAC", "Remote Port", "Intrusion URL", "SHA-256", "MD-5", "Rule"),
        *("Application hash", "Event Description", "Actual action", "CIDS Signature string", "Domain Name", "Domain"),
        *("Local", "Remote", "Admin"),
    ),
)  # fmt: skip
_NOBODY = r"(?i)^(?:|none|n/a|unknown|aucun\(e\)|なし|不明|0+|SYSTEM PROCESS)$"
_DETECTIONS = (
    r"(?i)^(?:virus found|security risk found|potential risk found|risk|compressed file|SONAR|.*\bdetect)"
)


def _said(value: pl.Expr) -> pl.Expr:
    return pl.when(~value.str.contains(_NOBODY)).then(value.str.strip_chars())


def _only(value: pl.Expr) -> pl.Expr:
    """The value without what stands by place behind it."""
    return e.present(value.str.extract(r"^([^,]*)"))


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: which log it is, by the names that it has; signs-in to the console by their words."""
    told = pl.when(raw["Risk name"].is_not_null() | raw["lead"].str.contains(_DETECTIONS)).then(raw["lead"])
    scanned = raw["User2"].str.extract(r"^[^,]*,([^,]+)")
    text = e.first(e.present(raw["Event Description"]), told, scanned)
    admin = raw["Admin"].str.extract(r"^[^,]*,(.*)$")
    signs_in = admin.str.contains(r"(?i)log ?(?:on|in|off|out)")
    risk, attack, scan = (raw[name].is_not_null() for name in ("Risk name", "CIDS Signature ID", "Scan ID"))
    traffic = raw["Remote Host IP"].is_not_null()
    control = raw["Action Type"].is_not_null() | raw["Device ID"].is_not_null()
    acted = e.first(e.present(raw["Actual action"]), _only(raw["Action"]), _placed(raw, 3))
    stopped = acted.str.contains(r"(?i)block|clean|quarantin|delet|terminat|left alone").fill_null(False)
    failed = admin.str.contains(r"(?i)fail") | acted.str.contains(r"(?i)fail|left alone|invalid")
    forms = [raw[name] for name in ("Event time", "Begin", "Begin Time")]
    ended = pl.when(scan).then(_time(e.first(raw["End Time"], raw["End"])))
    return {
        "@timestamp": e.time_or(ended, *(_time(form) for form in forms), pl.col("header.timestamp")),
        "event.kind": pl.when(risk | attack).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.category": pl.when(risk | scan)
        .then(e.texts("malware"))
        .when(attack)
        .then(e.texts("intrusion_detection", "network"))
        .when(traffic)
        .then(e.texts("network"))
        .when(signs_in.fill_null(False))
        .then(e.texts("authentication"))
        .when(raw["Admin"].is_not_null())
        .then(e.texts("configuration"))
        .when(control)
        .then(e.texts("process"))
        .otherwise(e.texts("host")),
        "event.type": pl.when(signs_in.fill_null(False))
        .then(e.texts("start"))
        .when(stopped & (traffic | control))
        .then(e.texts("denied"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed.fill_null(False))
        .then(pl.lit("failure"))
        .when(signs_in | (risk & stopped))
        .then(pl.lit("success")),
        "event.action": acted,
        "event.reason": e.first(
            admin,
            pl.when(raw["Site"].is_not_null()).then(_behind(raw["Server"])),
            _placed(raw, 4),
            text.str.replace(r"^\[SID: \d+\] ", ""),
        ),
        "rule.name": e.first(e.present(raw["CIDS Signature string"]), e.present(_rule(raw, 1))),
        "message": e.first(e.present(raw["Description"]), text),
    }


def _behind(value: pl.Expr) -> pl.Expr:
    """What stands by place behind a value."""
    return e.present(value.str.extract(r"^[^,]*,(.*)$"))


def _time(value: pl.Expr) -> pl.Expr:
    stamp = value.str.extract(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
    return e.local(stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False))


def _placed(raw: Raw, place: int) -> pl.Expr:
    """The control log's values by place: host, address, action, description."""
    return e.present(raw["lead"].str.extract(r"^([^,]*),([0-9A-Fa-f.:]+),([^,]*),(.*?)(?:,[^,]*)?$", place))


def _rule(raw: Raw, place: int) -> pl.Expr:
    """Behind the rule stand process id, process, parameter's id and target."""
    found = raw["Rule"].str.extract(r"^(.*?),(\d+),([^,]*),\d+,([^,]*)", place)
    return e.first(found, raw["Rule"]) if place == 1 else found


@source.derive
def machines(raw: Raw) -> dict[str, pl.Expr]:
    """The client and the remote end, told apart by the direction."""
    lead = raw["lead"].str.extract(r"^([^,]+)")
    named = (
        raw["lead"].str.contains(_DETECTIONS)
        | raw["Admin"].is_not_null()
        | raw["Computer name"].is_not_null()
    )
    host = e.first(
        _only(raw["Computer name"]), _only(raw["Computer"]), pl.when(~named.fill_null(False)).then(lead)
    )
    local = e.first(
        *(e.ip(_only(raw[name])) for name in ("IP Address", "Local Host IP", "Local Host", "Local"))
    )
    here = e.first(local, e.ip(_placed(raw, 2)))
    far = e.first(*(e.ip(_only(raw[name])) for name in ("Remote Host IP", "Remote Host", "Remote")))
    way = (
        e.first(raw["Remote Host MAC"], pl.col("message"))
        .str.extract(r",(Inbound|Outbound)(?:,|$)")
        .str.to_lowercase()
    )
    inwards = (way == "inbound").fill_null(False)
    ports = [_only(raw[name]) for name in ("Local Port", "Remote Port")]
    macs = [_mac(raw[name]) for name in ("Local Host MAC", "Remote Host MAC")]

    def end(near: pl.Expr, other: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        return pl.when(inwards).then(other).otherwise(near), pl.when(inwards).then(near).otherwise(other)

    (source_ip, destination_ip), (source_port, destination_port) = end(here, far), end(ports[0], ports[1])
    source_mac, destination_mac = end(macs[0], macs[1])
    return {
        "host.name": host,
        "host.ip": pl.when(here.is_not_null()).then(pl.concat_list(here)),
        "source.ip": source_ip,
        "source.port": source_port,
        "source.mac": source_mac,
        "destination.ip": destination_ip,
        "destination.port": destination_port,
        "destination.mac": destination_mac,
        "network.direction": way,
        "network.transport": pl.col("message").str.extract(r",(?i:(TCP|UDP|ICMP))(?:,|$)").str.to_lowercase(),
        "observer.hostname": e.first(_only(raw["Server Name"]), _only(raw["Server"]), pl.col("header.host")),
    }  # fmt: skip


def _mac(value: pl.Expr) -> pl.Expr:
    plain = _only(value).str.replace_all(r"[:\-]", "").str.to_uppercase()
    return pl.when(plain.str.contains(r"^[0-9A-F]{12}$") & (plain != "0" * 12)).then(
        plain.str.replace(r"(..)(..)(..)(..)(..)(..)", "${1}-${2}-${3}-${4}-${5}-${6}")
    )


@source.derive
def objects(raw: Raw) -> dict[str, pl.Expr]:
    """Person, file, process, address."""
    placed = raw["Occurrences"].str.extract(r"^\d+,\"?((?:[A-Za-z]:|\\|/)[^,\"]*)")
    path = e.first(e.present(raw["File path"]), placed)
    runs = e.present(_rule(raw, 3))
    digests = {"sha256": ("SHA-256", "Application hash"), "md5": ("MD-5",), "sha1": ("Application hash",)}
    sizes = {"sha256": 64, "md5": 32, "sha1": 40}
    hashes = {
        f"file.hash.{kind}": pl.coalesce(
            pl.when(
                raw[name].str.contains(rf"^[0-9A-Fa-f]{{{sizes[kind]}}}")
                & ~raw[name].str.contains("^0+(?:,|$)")
            ).then(_only(raw[name]).str.to_lowercase())
            for name in names
        )
        for kind, names in digests.items()
    }
    return {
        **hashes,
        "user.name": e.first(*(_said(_only(raw[name])) for name in ("User Name", "User1", "User", "Admin"))),
        "user.domain": e.first(*(_said(_only(raw[name])) for name in ("Domain Name", "Domain"))),
        "file.path": path,
        "file.name": path.str.extract(r"([^\\/]+)$"),
        "process.pid": e.whole(_rule(raw, 2)),
        "process.executable": e.first(runs, pl.when(raw["Remote Host IP"].is_not_null()).then(e.present(raw["Application"]))),
        "process.name": e.first(runs, pl.when(raw["Remote Host IP"].is_not_null()).then(e.present(raw["Application"])))
        .str.extract(r"([^\\/]+)$"),
        **e.url_columns(e.present(raw["Intrusion URL"])),
    }  # fmt: skip
