"""Linux sign-in and privilege logs: OpenSSH, sudo, su, PAM, account tools, console logins.

The texts and their sources are in `collectors.linux.texts`.
"""

import polars as pl

from collectors import expressions as e
from collectors.linux.texts import APPS, MEANINGS, TABLE
from collectors.shapes import patterns
from collectors.source import Raw, Source

_CHANGES = {
    "new user": "user-added",
    "delete user": "user-deleted",
    "new group": "group-added",
    "changed user": "user-changed",
}
_PAM_USER = r"(?:\buser=|\buser '|\bfor user |\baccount |^user |\bpassword for \[)([^\s'();,\]]+)"

source = Source(
    name="linux.auth",
    title={"ja": "Linux 認証・権限(SSH、sudo、su、PAM)", "en": "Linux authentication (SSH, sudo, su, PAM)"},
    shape=patterns(TABLE, APPS),
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
        "claimed": "linux.auth.claimed_name",
        "claimed2": "linux.auth.claimed_name",
        "sent": "destination.bytes",
        "rcvd": "source.bytes",
        "text": "message",
    },
    ignore=("user", "user2", "by", "by2", "src", "src2", "gone"),
)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the text that fitted, refined by its words."""
    name, what = raw["pattern"], raw["what"]

    def of(part: int) -> pl.Expr:
        return e.mapped(name, {key: value[part] for key, value in MEANINGS.items()})

    refused = ((name == "sudo") & raw["reason"].is_not_null()) | (
        name.is_in(["su", "console-login"]) & what.str.starts_with("FAILED")
    )
    gone = raw["gone"].is_not_null()
    granted = (name == "pam-other") & what.str.contains(r"(?i)authentication success")
    broken = (name == "pam-other") & what.str.contains(r"(?i)fail|unknown|denied|error|refus")
    session = pl.when(what == "opened").then(pl.lit("start")).when(what == "closed").then(pl.lit("end"))
    return {
        "event.category": of(0).str.split(","),
        "event.type": pl.when(gone)
        .then(pl.lit("end"))
        .when(name == "pam-session")
        .then(session)
        .otherwise(of(1))
        .str.split(","),
        "event.action": pl.when(name == "pam-session")
        .then(pl.concat_str(pl.lit("session-"), what))
        .when(gone)
        .then(pl.lit("session-closed"))
        .when(name == "account")
        .then(e.mapped(what, _CHANGES))
        .when(name == "group-member")
        .then(
            pl.when(what == "add")
            .then(pl.lit("group-member-added"))
            .otherwise(pl.lit("group-member-removed"))
        )
        .otherwise(e.present(of(2))),
        "event.outcome": pl.when(refused | broken)
        .then(pl.lit("failure"))
        .when(granted)
        .then(pl.lit("success"))
        .otherwise(e.present(of(3))),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Who, from where, on which host. sudo and su: user.name asks, user.effective.name is whom they become."""
    asks = e.present(e.first(raw["by"], raw["by2"]))
    told = pl.when(raw["pattern"] == "pam-other").then(raw["what"])  # what a PAM module says in its own words
    account = e.present(e.first(raw["user"], raw["user2"], _known(told.str.extract(_PAM_USER))))
    becomes = raw["pattern"].is_in(["sudo", "su"])
    written = pl.when(becomes).then(asks).otherwise(account)
    realm = written.str.extract_groups(r"^(?:([^\\]+)\\+)?([^@]+)(?:@(.+))?$").struct
    address = e.present(e.first(raw["src"], raw["src2"], told.str.extract(r"\brhost=(\S+)")))
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


def _known(user: pl.Expr) -> pl.Expr:
    return pl.when(~user.is_in(["unknown", "temporarily"])).then(user)
