"""Of which incidents people were told, as the outbox's records have it (its states: `responders.notify.outbox`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.store import Record, Records
from responders.notify.waiting import KIND

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Told:
    """Ids of incidents. sent: a message about it went out, by itself or in a digest; in_hand: somebody had taken or closed it before
    the message that asked for somebody went, so that none did."""

    sent: frozenset[str]
    in_hand: frozenset[str]


def told(records: Records) -> Told:
    """Read from all messages. A digest that its reader may not see, as it tells of others, too, counts as one that went: it is tried
    until it did. A message that may have gone out (`unknown`) does not count."""
    digests: dict[str, str] = {}
    folded: dict[str, str] = {}  # also those that a digest has not marked yet
    single: dict[str, tuple[str, str, bool]] = {}
    for one in _all(records):
        body = one.body
        if members := body.get("members"):
            digests[one.id] = str(body["state"])
            folded.update(dict.fromkeys(members, one.id))
        elif body["state"] == "folded":
            folded[one.id] = str(body["into"])
        single[one.id] = (str(body.get("incident_id", "")), str(body["state"]), bool(body.get("asks")))
    sent, in_hand = set(), set()
    for identity, (incident, state, asks) in single.items():
        became = digests.get(folded[identity], "sent") if identity in folded else state
        if became == "sent":
            sent.add(incident)
        elif became == "moot" and asks:
            in_hand.add(incident)
    return Told(frozenset(sent), frozenset(in_hand - sent))


def _all(records: Records) -> Iterator[Record]:
    after = ""
    while page := records.find(KIND, limit=_PAGE, after=after):
        yield from page
        after = page[-1].id
