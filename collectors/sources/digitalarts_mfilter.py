"""m-FILTER (Digital Arts) Ver.3 to 5, mail gateway: SMTP access log and communication log.

Source: Digital Arts FAQ 2585 and 3681 (SMTP access log) and 3686 (communication log, Ver.5). Of the access log the public
page names queue id, time of receipt, group, sender's address, and sender and recipients; the rest is kept as
`column_<number>` beside what is plain from its form (the next server, its answer, size, Message-ID).
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import rows
from collectors.source import Raw, Source

_ACTIONS = {"0": "send", "1": "delete", "2": "hold", "4": "relay", "8": "send-after-hold", "9": "delete-after-hold"}  # fmt: skip
_RECOGNISED = (
    r"^\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d,\d+,\d{4}/\d{1,2}/\d{1,2} [\d:]{7,8},|^\d{4}/\d\d/\d\d"
    r" \d\d:\d\d:\d\d,\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d,\d+,"
)

source = Source(
    name="digitalarts.mfilter",
    title={"ja": "m-FILTER(メールゲートウェイ、デジタルアーツ)", "en": "Digital Arts m-FILTER mail gateway"},
    zone_hint="dmz",
    shape=rows(13),
    always=r'\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d"?,',
    recognise=_RECOGNISED,
    leftovers="digitalarts.mfilter",
    constants={
        "event.kind": "event",
        "event.category": ["email"],
        "observer.vendor": "Digital Arts",
        "network.protocol": "smtp",
    },
    ignore=(*(f"c{n}" for n in range(7)), "c9", "c12", "c13", "c14", "c15", "c16", "c18", "c19"),
)
_ADDRESS = r"<?([^\s<>,\"]+@[^\s<>,\"]+)>?"


@source.derive
def mail(raw: Raw) -> dict[str, pl.Expr]:
    """Who wrote to whom, and what became of it. The communication log begins with the date as a year."""
    kept = raw["c0"].str.contains(r"^\d{4}/")
    access = raw["c0"].str.contains(r"^\d\d/[A-Z]")
    clocks = ["%d/%b/%Y:%H:%M:%S"], times.zone()
    recipients = pl.when(kept).then(raw["c13"]).when(access).then(raw["c6"])
    sender = pl.when(kept).then(raw["c12"]).when(access).then(raw["c5"])
    act = pl.when(kept).then(e.mapped(raw["c5"], _ACTIONS))
    number = raw["c15"].str.extract(r"^(\d{1,5})$")
    reply = pl.when(access).then(raw["c16"])
    code = e.whole(reply.str.extract(r"^(\d{3})"))
    return {
        "@timestamp": e.time_or(
            pl.when(kept).then(times.parsed(raw["c1"], *clocks)).otherwise(times.parsed(raw["c0"], *clocks))
        ),
        "email.from.address": sender.str.extract_all(_ADDRESS)
        .list.first()
        .str.strip_chars("<>")
        .str.split("\x00"),
        "email.to.address": recipients.str.extract_all(_ADDRESS).list.eval(pl.element().str.strip_chars("<>")),
        "email.message_id": pl.when(access).then(raw["c19"].str.strip_chars("<>")),
        "email.local_id": pl.when(kept).then(raw["c3"]).when(access).then(raw["c1"]),
        "group.name": pl.when(access).then(e.present(raw["c3"])),
        "rule.name": pl.when(kept).then(e.present(raw["c9"])),
        "rule.ruleset": pl.when(kept).then(e.present(raw["c8"])),
        "source.ip": pl.when(access).then(e.ip(raw["c4"])),
        "destination.ip": pl.when(access).then(e.ip(raw["c14"])),
        "destination.port": pl.when(access).then(e.whole(number)),
        "digitalarts.mfilter.size": pl.when(kept).then(raw["c4"]).when(access).then(raw["c18"]),
        "digitalarts.mfilter.reply": reply,
        "event.action": e.first(act, pl.when(access).then(pl.lit("smtp"))),
        "event.type": pl.when(act.str.starts_with("delete")).then(e.texts("denied")).otherwise(e.texts("info")),
        "event.outcome": pl.when(act.str.starts_with("delete") | (code >= 400))
        .then(pl.lit("failure"))
        .when(act.str.starts_with("send") | (act == "relay") | code.is_between(200, 399))
        .then(pl.lit("success")),
    }  # fmt: skip


@source.refine
def real(frame: pl.DataFrame) -> pl.DataFrame:
    """related.* of the mail's people."""
    people = pl.concat_list("email.from.address", "email.to.address").list.drop_nulls()
    return frame.with_columns(people.alias("related.user"))
