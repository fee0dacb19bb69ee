"""Points in time that people page through: whoever turns to the next page sees what was there when they turned to the second.

A point in time keeps its segments on every node, and most searches end with their first page: so it is opened for the second. A page's
token names it by a short word (Elasticsearch's own name for one grows with the shards, to more than an address line holds). One that
is gone (nobody turned a page for as long as it is kept, another console is asked, too many page at once, an index was dropped) is no
failure: the page goes on behind the last event's time and id, without one twice or left out.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from hinomi.errors import StoreError
from hinomi.identity import digest

_TOKEN = re.compile(r"(?:([0-9a-f]{12})\.)?(.*)", re.DOTALL)
_MOST = 32


def split(token: str) -> tuple[str | None, str]:
    """The word of a moment, where a page's token names one, and where the page goes on (`asked.behind`)."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else (None, token)


@dataclass(slots=True)
class Moment:
    """pattern: the indices that it is of; place: what the cluster calls it now."""

    pattern: str
    place: str


@dataclass(slots=True)
class Moments:
    """Those of this process, so many at most; safe with several threads. open_: of these indices; close: ends one."""

    open_: Callable[[str], str]
    close: Callable[[str], None]
    most: int = _MOST
    _held: dict[str, Moment] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, word: str | None, place: str, pattern: str) -> tuple[str, Moment | None]:
        """The moment of a page's token (`split`) and its word. One is opened where the token names none, and found again by whoever
        asks for the same page once more; None where it is gone, or cannot be opened."""
        asked, word = word is not None, word or digest("moment", pattern, place)[:12]
        held = self._held.get(word)
        if held is not None or asked:
            return word, held if held is not None and held.pattern == pattern else None
        try:
            opened = Moment(pattern, self.open_(pattern))
        except StoreError:  # of whatever is wrong the search itself tells, or does without
            return word, None
        self._keep(word, opened)
        return word, opened

    def _keep(self, word: str, moment: Moment) -> None:
        with self._lock:
            self._held[word] = moment
            words = list(self._held)[: -self.most]
        for oldest in words:
            self.forget(oldest)

    def forget(self, word: str) -> None:
        """It was paged through, or is gone."""
        with self._lock:
            gone = self._held.pop(word, None)
        if gone is not None:
            self.close(gone.place)
