"""Opening the desk (what people decide with) over a data folder."""

from pathlib import Path

from hinomi.clock import Clock
from hinomi.store import Records
from responders.desk import Desk
from responders.responder import desk, link_key


def open_desk(records: Records, data: Path, clock: Clock) -> Desk:
    """The desk of a data folder; its link key lies beside the records."""
    return desk(records, clock, link_key(data / "link.key"), data / "evidence")
