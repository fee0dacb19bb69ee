"""How much is sent at once: portions and connections grow while the cluster takes more, and shrink when it pushes back.

Two connections to begin with: while the cluster works on one portion the next is packed. A portion grows by a quarter up
to its most with each quick answer; then one more connection is tried for a while and kept only where it carried more. An
answer that pushes back halves both at once. A portion that takes the cluster long is made smaller: what others ask of it
meanwhile (a leader that renews its lease) waits behind whole portions.
"""

from dataclasses import dataclass

LEAST, START, MOST = 64 << 10, 2 << 20, 8 << 20
CONNECTIONS = 4
QUICK, SLOW = 1.0, 2.0  # seconds of an answer: up to QUICK portions grow, beyond SLOW they shrink
_WINDOW = 8  # answers that a number of connections is judged by
_GAIN = 1.1


@dataclass(slots=True)
class Pace:
    """size: bytes of a portion; connections: portions under way at once. Never more than MOST × CONNECTIONS bytes."""

    size: int = START
    connections: int = 2
    pushed_back: int = 0
    _answers: int = 0
    _bytes: int = 0
    _rate: float = 0.0
    _since: float = 0.0
    _tried: bool = False
    _most: int = MOST

    def took(self, sent: int, now: float, seconds: float = 0.0) -> None:
        """A portion of so many bytes was taken at this time (seconds), after so many seconds."""
        if seconds > SLOW:
            self.size = max(min(self.size, sent) * 3 // 4, LEAST)
        elif seconds <= QUICK:
            self.size = min(self.size * 5 // 4, self._most)
        if not self._answers:
            self._since = now
        else:  # the first answer of a window only starts it
            self._bytes += sent
        self._answers += 1
        if self._answers > _WINDOW:
            self._judge(self._bytes / max(now - self._since, 1e-6))

    def back(self) -> None:
        """The cluster did not take a portion."""
        self.pushed_back += 1
        self.size, self.connections = max(self.size // 2, LEAST), max(self.connections // 2, 1)
        self._rate, self._tried = 0.0, False
        self._anew()

    def too_large(self, sent: int) -> None:
        """A portion of so many bytes is more than a request may be: no later one is as large."""
        self._most = max(min(self._most, sent * 3 // 4), LEAST)
        self.size = min(self.size, self._most)

    def _judge(self, rate: float) -> None:
        if self._tried and rate < self._rate * _GAIN:
            self.connections -= 1  # one more carried no more: back to what did
            self._tried = False
        elif self.connections < CONNECTIONS and (self._tried or not self._rate or rate > self._rate * _GAIN):
            self.connections, self._tried, self._rate = self.connections + 1, True, rate
        self._anew()

    def _anew(self) -> None:
        self._answers = self._bytes = 0
