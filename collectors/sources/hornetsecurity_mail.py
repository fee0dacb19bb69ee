"""Hornetsecurity 365 Total Protection: mail tracking, one mail an object.

Source: Hornetsecurity, "Email Live Tracking API". `direction` 1 comes in: the owner of the mailbox is the recipient and the
partner the sender; 2 goes out, the other way round.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import json_fields
from collectors.source import Raw, Source

source = Source(
    name="hornetsecurity.mail",
    title={"ja": "Hornetsecurity 365(メール)", "en": "Hornetsecurity 365 mail"},
    zone_hint="cloud",
    shape=json_fields(),
    always=r'"(?:comm_partner|source_hostname|destination_hostname|es_mail_id|owner_domain|smtp_status)"\s*:',
    recognise=r'"comm_partner"\s*:',
    leftovers="hornetsecurity.mail",
    constants={
        "event.kind": "event",
        "event.category": ["email"],
        "event.type": ["info"],
        "observer.vendor": "Hornetsecurity",
    },
    rename={
        "subject": "email.subject",
        "message_id": "email.message_id",
        "source_hostname": "source.domain",
        "destination_hostname": "destination.domain",
        "status.text": "event.action",
        "classification.text": "event.reason",
        "gateway": "observer.hostname",
    },
    ignore=("date", "source_ip", "destination_ip", "owner", "comm_partner"),
)


@source.derive
def mail(raw: Raw) -> dict[str, pl.Expr]:
    """When, from whom to whom, over which machines."""
    inwards = raw["direction"] == "1"
    own, other = e.present(raw["owner"]), e.present(raw["comm_partner"])
    sender = pl.when(inwards).then(other).otherwise(own)
    recipient = pl.when(inwards).then(own).otherwise(other)
    return {
        "@timestamp": e.time_or(times.parsed(raw["date"], [times.ISO], "UTC")),
        "email.from.address": sender.str.split(","),
        "email.to.address": recipient.str.split(","),
        "email.direction": e.mapped(raw["direction"], {"1": "inbound", "2": "outbound"}),
        "source.ip": e.ip(raw["source_ip"]),
        "destination.ip": e.ip(raw["destination_ip"]),
    }
