"""Opening the desk (what people decide with) over a store."""

import secrets
from pathlib import Path

from collectors.organizations import Organizations
from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Records
from ops.settings import Settings
from ops.stores import StoreSettings
from responders.desk import Desk
from responders.incidents.shelf import FolderShelf, RecordShelf, Shelf
from responders.responder import desk, link_key

_KEY = ("key", "links")


def open_desk(settings: Settings, records: Records, data: Path, clock: Clock) -> Desk:
    """The desk over these records, of the tower so configured."""
    store, name = settings.store, settings.console.organization
    key, own = signing_key(store, records, data), shelf(store, records, data)
    towns = {identity: words.ja for identity, words in Organizations.of(settings.organizations).names.items()}
    respond = settings.respond.playbooks
    return desk(records, clock, key, own, organization=name, organizations=towns, playbooks=respond)


def shelf(store: StoreSettings, records: Records, data: Path) -> Shelf:
    """Where evidence lies: in the data folder of one machine; on a cluster in the store, so that every console reads
    what the responder or another console sealed."""
    return FolderShelf(data / "evidence") if store.kind == "embedded" else RecordShelf(records)


def signing_key(store: StoreSettings, records: Records, data: Path) -> bytes:
    """The key of acknowledgement links: beside the records of one machine; on a cluster a record, as the process that
    signs and the console that checks may be on different machines."""
    return link_key(data / "link.key") if store.kind == "embedded" else _shared_key(records)


def _shared_key(records: Records) -> bytes:
    """Made by who asks first."""
    held = records.get(*_KEY)
    if held is None:
        try:
            held = records.put(*_KEY, {"hex": secrets.token_bytes(32).hex()}, expect=0)
        except Conflict:
            return _shared_key(records)
    return bytes.fromhex(held.body["hex"])
