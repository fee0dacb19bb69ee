"""Linux audit daemon: `audit.log`, audisp-syslog, audisp-remote, and what the kernel writes without a daemon.

Source: see `collectors.linux.audit`. Each record stays one event under its own `auditd.type`, as Sigma's auditd rules
read them; each also has what the other records of its event tell (process, people, command line), as far as they came
in the same batch or before it (`collectors.continued`). `user.audit.*` is who signed in, whoever they became since.
"""

import polars as pl

from collectors import event_numbers
from collectors import expressions as e
from collectors.linux.audit import AuditRecords
from collectors.source import Raw, Source

_UNSET = ("4294967295", "unset", "-1", "?", "(null)", "(none)", "")

source = Source(
    name="linux.auditd",
    title={"ja": "Linux auditd(監査記録)", "en": "Linux audit daemon"},
    shape=AuditRecords(),
    event_of=event_numbers.AUDIT,
    recognise=r"(?:^|[ :])type=[A-Z][A-Z0-9_]* msg=audit\(\d{9,11}\.\d{3}:\d+\):",
    leftovers="auditd",
    constants={"event.kind": "event", "event.provider": "auditd"},
    rename={"audit.type": "auditd.type", "audit.serial": "auditd.sequence", "audit.node": "auditd.node"},
    ignore=("audit.epoch", "message"),
)
_SIGN_INS = ("USER_LOGIN", "USER_AUTH", "USER_ERR", "CRED_ACQ", "USER_ACCT", "GRP_AUTH")
_SESSIONS = ("USER_START", "USER_END", "USER_LOGOUT", "LOGIN", "CRED_DISP", "CRED_REFR")
_ACCOUNTS = ("ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "USER_MGMT", "GRP_MGMT", "USER_CHAUTHTOK", "ACCT_LOCK",
             "ACCT_UNLOCK", "GRP_CHAUTHTOK", "ROLE_ASSIGN", "ROLE_REMOVE")  # fmt: skip
_SETTINGS = ("CONFIG_CHANGE", "DAEMON_START", "DAEMON_END", "DAEMON_CONFIG", "DAEMON_ROTATE", "DAEMON_ABORT",
             "MAC_STATUS", "MAC_CONFIG_CHANGE", "MAC_POLICY_LOAD", "NETFILTER_CFG", "FEATURE_CHANGE", "TTY_GET",
             "TTY_SET", "SYSTEM_RUNLEVEL", "USYS_CONFIG")  # fmt: skip
_SERVICES = ("SERVICE_START", "SERVICE_STOP", "SYSTEM_BOOT", "SYSTEM_SHUTDOWN")


def _told(raw: Raw, name: str) -> pl.Expr:
    """The record's own value, else its event's."""
    value = e.first(raw[name], raw[f"of.{name}"])
    return pl.when(~value.is_in(_UNSET)).then(value)


@source.derive
def process(raw: Raw) -> dict[str, pl.Expr]:
    """Which process, run by whom, on which host."""
    seconds = raw["audit.epoch"].cast(pl.Decimal(20, 3), strict=False) * 1000
    epoch = pl.from_epoch(seconds.cast(pl.Int64, strict=False), "ms").dt.replace_time_zone("UTC")
    executable = _told(raw, "exe")
    own = pl.when(raw["audit.type"] == "EXECVE").then(raw["command"])
    command = e.first(own, raw["of.command"], _told(raw, "proctitle"), _told(raw, "cmd"))
    return {
        "@timestamp": e.time_or(epoch, pl.col("header.timestamp")),
        "host.name": e.first(raw["audit.node"], pl.col("header.host")),
        "process.executable": executable,
        "process.name": e.first(_told(raw, "comm"), executable.str.extract(r"([^/]+)$")),
        "process.pid": e.whole(_told(raw, "pid")),
        "process.parent.pid": e.whole(_told(raw, "ppid")),
        "process.command_line": command,
        "process.working_directory": _told(raw, "cwd"),
        "process.title": _told(raw, "proctitle"),
        "process.exit_code": e.whole(pl.when(raw["audit.type"] == "SYSCALL").then(raw["exit"])),
        "file.path": pl.when(raw["audit.type"] == "PATH").then(_told(raw, "name")),
        "file.inode": pl.when(raw["audit.type"] == "PATH").then(raw["inode"]),
        "rule.name": _told(raw, "key"),
    }


@source.derive
def people(raw: Raw) -> dict[str, pl.Expr]:
    """Who: the account that a record is about, its number, and who signed in first."""
    account = _told(raw, "acct")
    name = e.first(account, e.first(raw["UID"], raw["of.UID"]))
    address = e.first(_told(raw, "addr"), _told(raw, "hostname"))
    far = raw["audit.type"].is_in([*_SIGN_INS, *_SESSIONS, "CRYPTO_KEY_USER", "CRYPTO_SESSION"])
    return {
        "user.name": name,
        "user.id": e.first(_told(raw, "id"), _told(raw, "uid")),
        "user.effective.id": _told(raw, "euid"),
        "user.audit.id": _told(raw, "auid"),
        "user.audit.name": e.first(raw["AUID"], raw["of.AUID"]).replace({"unset": None}),
        "source.ip": pl.when(far).then(e.ip(address)),
        "source.domain": pl.when(far).then(e.not_ip(_told(raw, "hostname"))),
        "auditd.session": _told(raw, "ses"),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: by the record's type; its result where it has one."""
    kind = raw["audit.type"]
    result = e.first(raw["res"], raw["success"], raw["of.success"]).str.to_lowercase()
    denied = kind.is_in(["AVC", "USER_AVC", "SELINUX_ERR"]) | kind.str.starts_with("ANOM_")
    return {
        "event.action": kind.str.to_lowercase(),
        "event.code": kind,
        "event.sequence": e.whole(raw["audit.serial"]),
        "event.category": pl.when(kind.is_in(_SIGN_INS))
        .then(e.texts("authentication"))
        .when(kind.is_in(_SESSIONS))
        .then(e.texts("session"))
        .when(kind.is_in(_ACCOUNTS))
        .then(e.texts("iam"))
        .when(kind.is_in(_SETTINGS))
        .then(e.texts("configuration"))
        .when(kind == "PATH")
        .then(e.texts("file"))
        .when(denied)
        .then(e.texts("intrusion_detection"))
        .when(kind == "SOCKADDR")
        .then(e.texts("network"))
        .otherwise(e.texts("process")),
        "event.type": pl.when(kind.is_in([*_SIGN_INS, "USER_START", "LOGIN", "EXECVE", "SERVICE_START"]))
        .then(e.texts("start"))
        .when(kind.is_in(["USER_END", "USER_LOGOUT", "CRED_DISP", "SERVICE_STOP"]))
        .then(e.texts("end"))
        .when(kind.is_in(["ADD_USER", "ADD_GROUP"]))
        .then(e.texts("creation", "user"))
        .when(kind.is_in(["DEL_USER", "DEL_GROUP"]))
        .then(e.texts("deletion", "user"))
        .when(kind.is_in([*_ACCOUNTS, *_SETTINGS]))
        .then(e.texts("change"))
        .when(kind == "PATH")
        .then(e.texts("access"))
        .when(denied)
        .then(e.texts("denied"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(result.is_in(["success", "yes", "1"]))
        .then(pl.lit("success"))
        .when(result.is_in(["failed", "no", "0", "failure"]))
        .then(pl.lit("failure")),
        "event.reason": _told(raw, "op"),
    }


@source.refine
def own_names(frame: pl.DataFrame) -> pl.DataFrame:
    """The helpers of the join are no fields of the record."""
    return frame.drop([name for name in frame.columns if name.startswith("auditd.of.")])
