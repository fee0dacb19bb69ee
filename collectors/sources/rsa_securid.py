"""RSA SecurID / Authentication Manager: administration, runtime and system audit logs.

Source: RSA Authentication Manager "Audit Log Messages" and the log4j layout of `rsa-console` and `rsa-runtime`: clock
(its comma counts as a column), server, logger, level, entry id, instance, client address, server address, action key,
action id, result, result key; runtime and administration go on with session, actor id, security domain, identity
source, actor name, given name, surname. Where the line has a day, it is the server's own clock without a
zone; a clock without a day tells nothing and the header's time is taken. The server's name may be left empty.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, lines, rows
from collectors.source import Raw, Source

_LOGGER = r"\d\d:\d\d:\d\d,\d{3}, ?[^,]*, ?(?:audit|system)\."

source = Source(
    name="rsa.securid",
    title={"ja": "RSA SecurID(認証)", "en": "RSA SecurID"},
    shape=either(_LOGGER, rows(5, header=True), lines(r"^[A-Z][\w ,:.()/-]*\.$")),
    recognise=_LOGGER,
    constants={"event.kind": "event", "observer.vendor": "RSA", "observer.product": "SecurID"},
)
source.ignore = [*(f"c{n}" for n in range(250)), "text"]


@source.derive
def audit(raw: Raw) -> dict[str, pl.Expr]:
    """One entry of any of the three logs."""
    logger, key, result = raw["c3"].str.strip_chars(), raw["c9"], raw["c11"]
    runtime = logger.str.starts_with("audit.runtime.")
    signing = key.str.starts_with("AUTH") & runtime
    actor = e.present(raw["c17"])
    clock = pl.concat_str(raw["c0"].str.strip_chars(), pl.lit("."), raw["c1"])
    failed = result.is_in(["FAIL", "FAILURE", "ERROR"])
    return {
        "@timestamp": e.time_or(times.parsed(clock, [times.ISO], times.zone()), pl.col("header.timestamp")),
        "message": raw["text"],
        "observer.hostname": e.present(raw["c2"]),
        "log.logger": logger,
        "log.level": raw["c4"].str.strip_chars(),
        "rsa.securid.entry_id": e.present(raw["c5"]),
        "observer.serial_number": e.present(raw["c6"]),
        "source.ip": e.ip(raw["c7"]),
        "destination.ip": e.ip(raw["c8"]),
        "event.action": key,
        "event.code": raw["c10"],
        "event.outcome": pl.when(failed)
        .then(pl.lit("failure"))
        .when(result == "SUCCESS")
        .then(pl.lit("success")),
        "event.reason": e.present(raw["c12"]),
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .otherwise(e.texts("configuration")),
        "event.type": pl.when(key.str.contains("LOGOUT"))
        .then(e.texts("end"))
        .when(signing)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "user.id": e.present(raw["c14"]),
        "user.name": actor,
        "user.target.name": pl.when(runtime).then(actor),
        "user.full_name": e.present(pl.concat_str(raw["c18"], raw["c19"], separator=" ", ignore_nulls=True)),
        "rsa.securid.agent": pl.when(runtime).then(e.present(raw["c23"])),
        "rsa.securid.method": pl.when(runtime).then(e.present(raw["c26"])),
        "rsa.securid.arguments": pl.when(~runtime).then(_arguments(raw)),
    }


def _arguments(raw: Raw) -> pl.Expr:
    """What an administrator or the system did it to: columns behind the actor, whose meaning depends on the action."""
    given = pl.concat_list(e.present(raw[f"c{n}"]) for n in range(20, 34)).list.drop_nulls()
    return pl.when(given.list.len() > 0).then(given)
