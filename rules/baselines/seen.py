"""Which events were counted already: reading again after a crash must not make a person look busier."""

from typing import Any

from hinomi.identity import digest
from rules.entry import Entry

MOST = 50_000
_LONG = 120


class Seen:
    """The identities of the latest events, the oldest given up first: a repeated one comes soon after the first."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.kept: dict[str, None] = {}

    def is_new(self, entry: Entry) -> bool:
        """Whether it was not counted yet; it is from now on."""
        identity = f"{entry.event}|{entry.rule}"
        if len(identity) > _LONG:  # an id of the sender's own
            identity = digest(identity)
        if identity in self.kept:
            return False
        self.kept[identity] = None
        if len(self.kept) > self.most:
            del self.kept[next(iter(self.kept))]
        return True

    def dump(self) -> list[str]:
        """As JSON."""
        return list(self.kept)

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.kept = dict.fromkeys(state)
