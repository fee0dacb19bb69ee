r"""Linux sign-in and privilege logs: OpenSSH, sudo, su, PAM, account tools.

Sources of the facts: OpenSSH portable (auth.c, auth2.c, packet.c, sshd.c: the texts), sudoers(5) "LOG
FORMAT", Linux-PAM (pam_unix), shadow-utils. A user name is whatever the far side sent, so expressions take
the last `from … port …` of a line: a name like `x from 192.0.2.1 port 1` cannot fake the address.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_FROM = r"from (?P<src>\S+)(?: port (?P<port>\d+))?"
_WHO = r"(?P<invalid>(?:invalid|illegal) user )?(?P<user>.*)"
_PAM = r"pam_(?P<module>\w+)\((?P<service>[^:)]+):"
_CHANGES = {
    "new user": "user-added",
    "delete user": "user-deleted",
    "new group": "group-added",
    "changed user": "user-changed",
}

TABLE = {
    "accepted": (
        rf"^Accepted (?P<method>\S+) for (?P<user>.*?)(?: {_FROM}(?: ssh2)?(?:: (?P<keytype>\S+) "
        rf"(?:ID .* )?(?:SHA256:(?P<fingerprint>\S+)|\S+).*)?)?$"
    ),
    "failed": rf"^(?:error: )?Failed (?P<method>\S+) for {_WHO} {_FROM}(?: ssh2)?(?:: .*)?$",
    "too-many": rf"maximum authentication attempts exceeded for {_WHO} {_FROM}(?: ssh2)?(?: \[preauth\])?$",
    "invalid-user": (
        rf"^Invalid user (?P<user>.*) {_FROM}$|^input_userauth_request: invalid user "
        rf"(?P<user2>.*?)(?: \[preauth\])?$"
    ),
    "not-allowed": (
        r"^(?:error: )?User (?P<user>.*) from (?P<src>\S+) not allowed because (?P<reason>.*)$|"
        r"^ROOT LOGIN REFUSED FROM (?P<src2>\S+)"
    ),
    "no-identification": (
        rf"(?:Did not receive identification string|Bad protocol version identification '.*'|"
        rf"banner exchange: Connection) {_FROM}"
    ),
    "timeout": (
        r"Timeout before authentication for (?:connection from )?(?P<src>[0-9A-Fa-f.:]+)(?: "
        r"port (?P<port>\d+)| to )"
    ),
    "received-disconnect": (
        r"^(?:error: )?Received disconnect from (?P<src>[0-9A-Fa-f.:]+?)(?: port (?P<port>\d+))"
        r"?: ?\d+: ?(?P<reason>.*?)(?: \[preauth\])?$"
    ),
    "connection": rf"^Connection {_FROM} on (?P<dst>\S+) port (?P<dstport>\d+)",
    "closed": (
        r"^(?:Connection (?P<how>closed|reset) by|Disconnected from|Disconnecting)(?P<kind> "
        r"authenticating| invalid| illegal)?(?: user (?P<user>.*))? "
        r"(?P<src>[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+|UNKNOWN)(?: port (?P<port>\d+))?(?:: "
        r"(?P<reason>.*?))?(?: \[preauth\])?$"
    ),
    "pam-session": (
        rf"{_PAM}session\): session (?P<what>opened|closed) for user (?P<user>[^\s(]+)"
        rf"(?:\(uid=(?P<uid>\d+)\))?(?: by (?P<by>[^\s(]*)\(uid=(?P<byuid>\d+)\))?"
    ),
    "pam-failure": (
        rf"(?:{_PAM}auth\): authentication failure|PAM \d+ more authentication failures?); "
        rf"logname=\S* uid=(?P<uid>\d*) euid=\d* tty=(?P<tty>\S*) ruser=(?P<ruser>\S*) "
        rf"rhost=(?P<src>\S*)(?:\s+user=(?P<user>\S+))?"
    ),
    "pam-granted": rf"{_PAM}account\): user '(?P<user>[^']*)' granted access",
    "pam-other": rf"{_PAM}(?P<stage>\w+)\): (?P<what>.*)",
    "sudo": (
        r"^(?P<by>\S+) : (?:(?P<reason>[^;=]+?) ; )?(?:HOST=\S+ ; )?(?:TTY=(?P<tty>\S+) ; )"
        r"?PWD=(?P<pwd>.*?) ; (?:USER=(?P<user>\S+) ; )?(?:GROUP=\S+ ; )?(?:TSID=\S+ ; )"
        r"?(?:ENV=.*? ; )?COMMAND=(?P<command>.*)$"
    ),
    "su": (
        r"^(?P<what>FAILED SU|FAILED su|Successful su)? ?(?:for (?P<user2>\S+) by (?P<by2>\S+)|"
        r"\(to (?P<user>\S+)\) (?P<by>\S+) on (?P<tty>\S+))"
    ),
    "account": r"^(?P<what>new user|delete user|new group|changed user)(?:: name=|\s')(?P<user>[^,'\s]+)",
    "group-member": (
        r"^(?P<what>add|remove|delete)d? '(?P<user>[^']+)' (?:to|from) (?:shadow )?group "
        r"'(?P<group>[^']+)'"
    ),
    "password": r"password changed for (?P<user>\S+)",
    "configuration": (
        r"^main: sshd: (?P<reason>.*)|^Server listening on (?P<dst>\S+) port (?P<dstport>\d+)|"
        r"^Received signal (?P<signal>\d+); terminating"
    ),
    "error": r"^(?P<level>fatal|error): (?P<reason>.*)$",
}
_APPS = (
    "sshd",
    "sshd-session",
    "sshd-auth",
    "sudo",
    "su",
    "login",
    "systemd-logind",
    "useradd",
    "userdel",
    "usermod",
    "groupadd",
    "passwd",
    "chpasswd",
    "polkitd",
    "gdm-password",
    "cron",
    "CRON",
    "crond",
)

_MEANINGS = {
    "accepted": ("authentication", "start", "ssh-login", "success"),
    "failed": ("authentication", "start", "ssh-login", "failure"),
    "too-many": ("authentication,session", "end", "authentication-attempts-exceeded", "failure"),
    "invalid-user": ("authentication", "info", "invalid-user", "failure"),
    "not-allowed": ("authentication", "denied", "user-not-allowed", "failure"),
    "no-identification": ("network", "connection", "no-identification", "failure"),
    "timeout": ("authentication,network", "end", "authentication-timeout", "failure"),
    "received-disconnect": ("network", "connection,end", "disconnect-received", "success"),
    "connection": ("network", "connection,start", "connection-opened", "success"),
    "closed": ("network", "connection,end", "connection-closed", "success"),
    "pam-session": ("session", "info", "session", "success"),
    "pam-failure": ("authentication", "start", "authentication-failure", "failure"),
    "pam-granted": ("authentication", "allowed", "access-granted", "success"),
    "pam-other": ("authentication", "info", "pam", ""),
    "sudo": ("process", "start", "sudo", "success"),
    "su": ("authentication,session", "start", "su", "success"),
    "account": ("iam", "user", "account", "success"),
    "group-member": ("iam", "group,change", "group-member", "success"),
    "password": ("iam", "user,change", "password-changed", "success"),
    "configuration": ("configuration", "info", "configuration", "success"),
    "error": ("process", "error", "sshd-error", "failure"),
    "other": ("host", "info", "", ""),
}

source = Source(
    name="linux.auth",
    title={"ja": "Linux 認証・権限(SSH、sudo、su、PAM)", "en": "Linux authentication (SSH, sudo, su, PAM)"},
    shape=patterns(TABLE, _APPS),
    recognise=(
        r"\b(?:sshd|sshd-session|sudo|su)(?:\[\d+\]: |: | \d+ \S+ )"
        r"|^\s*(?:Accepted|Failed) \S+ for .* from \S+ port \d+|pam_unix\("
    ),
    leftovers="linux.auth",
    constants={"event.kind": "event"},
    rename={
        "reason": "event.reason",
        "command": "process.command_line",
        "pwd": "process.working_directory",
        "group": "group.name",
        "fingerprint": "file.hash.sha256",
        "uid": "user.id",
        "dst": "destination.ip",
        "dstport": "destination.port",
        "port": "source.port",
        "text": "message",
    },
    ignore=("user", "user2", "by", "by2", "src", "src2"),
)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the text that fitted, refined by its words."""
    name, what = raw["pattern"], raw["what"]

    def of(part: int) -> pl.Expr:
        return e.mapped(name, {key: value[part] for key, value in _MEANINGS.items()})

    refused = ((name == "sudo") & raw["reason"].is_not_null()) | (
        (name == "su") & what.str.starts_with("FAILED")
    )
    broken = (name == "pam-other") & what.str.contains(r"(?i)fail|unknown|denied|error|refus")
    session = pl.when(what == "opened").then(pl.lit("start")).when(what == "closed").then(pl.lit("end"))
    return {
        "event.category": of(0).str.split(","),
        "event.type": pl.when(name == "pam-session").then(session).otherwise(of(1)).str.split(","),
        "event.action": pl.when(name == "pam-session")
        .then(pl.concat_str(pl.lit("session-"), what))
        .when(name == "account")
        .then(e.mapped(what, _CHANGES))
        .when(name == "group-member")
        .then(
            pl.when(what == "add")
            .then(pl.lit("group-member-added"))
            .otherwise(pl.lit("group-member-removed"))
        )
        .otherwise(e.present(of(2))),
        "event.outcome": pl.when(refused | broken).then(pl.lit("failure")).otherwise(e.present(of(3))),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Who, from where, on which host. sudo and su: user.name is who asks, "
    "user.effective.name who they become."""
    asks = e.present(e.first(raw["by"], raw["by2"]))
    account = e.present(e.first(raw["user"], raw["user2"]))
    becomes = raw["pattern"].is_in(["sudo", "su"])
    written = pl.when(becomes).then(asks).otherwise(account)
    realm = written.str.extract_groups(r"^(?:([^\\]+)\\+)?([^@]+)(?:@(.+))?$").struct
    address = e.present(e.first(raw["src"], raw["src2"]))
    target = pl.when(becomes).then(e.first(account, pl.lit("root")))
    sshd = ~becomes & raw["pattern"].is_in(["account", "group-member", "password", "other"]).not_()
    app = e.first(pl.col("header.app"), raw["service"], pl.when(sshd).then(pl.lit("sshd")))
    return {
        "user.name": realm.field("2"),
        "user.domain": e.first(realm.field("1"), realm.field("3")),
        "source.user.name": pl.when(~becomes).then(realm.field("2")),
        "user.effective.name": target,
        "source.ip": e.ip(address),
        "source.domain": e.not_ip(address),
        "process.name": e.first(app, raw["pattern"])
        .str.replace(r"^sshd-(?:session|auth)$", "sshd")
        .str.extract(r"([^/]+)$"),
        "process.pid": pl.col("header.pid"),
        "host.name": pl.col("header.host"),
        "@timestamp": e.time_or(pl.col("header.timestamp")),
    }


source.refine(e.related)
