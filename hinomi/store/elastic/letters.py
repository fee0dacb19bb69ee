"""Dead letters: events that the mapping cannot take, kept whole with the reason."""

from datetime import datetime

import orjson

from hinomi.batch import DEAD_LETTERS
from hinomi.identity import digest
from hinomi.organization import FIELD
from hinomi.store.elastic import schema
from hinomi.store.elastic.bulk import TOO_LARGE, Item

_LONGEST = 1 << 20
_KEPT = (
    "event.original",
    "event.created",
    "event.ingested",
    "hinomi.origin",
    FIELD,  # a letter is its town's, too
    "log.source.address",  # by which a replay knows whose it is
)


def letter(item: Item, reason: str, namespace: str, now: datetime) -> Item:
    """The letter of a document that was refused. now: for one that does not say when it came."""
    document = orjson.loads(item.body)
    kept = {name: document[name] for name in _KEPT if isinstance(document.get(name), str)}
    if reason == TOO_LARGE:  # what is larger than any request can only be kept in part
        kept["event.original"] = kept.get("event.original", "")[:_LONGEST]
    came = kept.get("event.created") or kept.get("event.ingested") or now.isoformat()
    body = {
        **kept,
        "@timestamp": came,  # a replay keeps it, so the same letter goes to the same index
        "event.id": digest("refused", item.id),
        "event.kind": "pipeline_error",
        "event.dataset": DEAD_LETTERS,
        "error.message": f"store_refused: {reason}",
        "event.provider": str(document.get("event.dataset", "")),
    }
    day = datetime.fromisoformat(came).strftime("%Y.%m.%d")
    index = schema.index(DEAD_LETTERS, namespace, day)
    return Item(index, str(body["event.id"]), orjson.dumps(body))
