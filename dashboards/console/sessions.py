"""Sessions of the console: records of kind `session`, keyed by the hash of a random token.

Facts: OWASP Session Management Cheat Sheet (random 128 bits or more, idle and absolute limits, new token at
sign-in). Whoever reads the records cannot use them as cookies: only the hash is stored.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Records

KIND = "session"
_TOUCH = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: whose, since when, and the token that its forms must carry."""

    id: str
    user: str
    csrf: str
    started: datetime
    seen: datetime
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Sessions:
    """Starts, finds and ends sessions."""

    records: Records
    clock: Clock
    idle: timedelta
    longest: timedelta

    def start(self, user: str, *, strong: bool = False, **about: str) -> tuple[str, Session]:
        """A new session and the cookie's token (256 random bits), which is not kept.

        strong: two factors were used; about: what the person sees of it (address, agent, how).
        """
        self.sweep()
        token, now = secrets.token_urlsafe(32), self.clock.now()
        session = Session(_hash(token), user, secrets.token_urlsafe(32), now, now, strong)
        body = {
            **{name: text[:200] for name, text in about.items()},
            "user": user,
            "csrf": session.csrf,
            "started": now.isoformat(),
            "seen": now.isoformat(),
            "strong": strong,
        }
        self.records.put(KIND, session.id, body, expect=0)
        return token, session

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """The session of this token if it has not ended; notes that it was used (`touch`)."""
        record = self.records.get(KIND, _hash(token)) if token else None
        if record is None:
            return None
        session = _session(record.id, record.body)
        now = self.clock.now()
        if self._over(session, now):
            self.records.delete(KIND, record.id)
            return None
        if touch and now - session.seen >= _TOUCH:
            self._touch(record.id, record.version, {**record.body, "seen": now.isoformat()})
        return session

    def end(self, session: Session) -> None:
        """Sign out."""
        self.records.delete(KIND, session.id)

    def of(self, user: str) -> list[dict[str, Any]]:
        """A person's sessions with their ids, in the order of their last use."""
        found = self.records.find(KIND, {"user": user}, limit=100)
        return sorted(({**one.body, "id": one.id} for one in found), key=lambda one: str(one["seen"]))

    def end_of(self, user: str, identity: str) -> None:
        """End a session of the person's own."""
        held = self.records.get(KIND, identity)
        if held is not None and held.body["user"] == user:
            self.records.delete(KIND, identity)

    def sweep(self) -> None:
        """Forget the sessions that are over."""
        now = self.clock.now()
        for record in self.records.find(KIND, limit=10_000):
            if self._over(_session(record.id, record.body), now):
                self.records.delete(KIND, record.id)

    def _over(self, session: Session, now: datetime) -> bool:
        return now - session.seen > self.idle or now - session.started > self.longest

    def _touch(self, identity: str, version: int, body: dict[str, object]) -> None:
        try:
            self.records.put(KIND, identity, body, expect=version)
        except Conflict:
            return  # another request of the same browser noted it, or it was signed out just now


def same(given: str, expected: str) -> bool:
    """Whether two tokens are equal, in time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _session(identity: str, body: dict[str, str]) -> Session:
    return Session(
        identity,
        body["user"],
        body["csrf"],
        datetime.fromisoformat(body["started"]),
        datetime.fromisoformat(body["seen"]),
        bool(body.get("strong")),
    )
