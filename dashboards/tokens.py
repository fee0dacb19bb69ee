"""API tokens: records of kind `token`, keyed by the hash of a random secret that is shown once."""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError, Refused
from hinomi.store import Records

KIND = "token"
SCOPES = ("read", "work", "approve")
PREFIX = "hinomi_"
LONGEST_DAYS, MOST = 400, 20
VOUCHED = timedelta(days=90)
"""For how long after their last sign-in tokens of a person stand whose account is kept elsewhere."""


class Vouched(Protocol):
    """Of a user: where the account is kept, and when that place last said who it is."""

    @property
    def source(self) -> str:
        """local, ldap or oidc."""

    @property
    def signed_in(self) -> datetime | None:
        """None: not since that is noted."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token may do, in whose name, until when; organizations: whose things alone it sees of those that its user
    does, none: the same as its user; strong: whoever made it had signed in with two factors."""

    id: str
    name: str
    user: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    used: datetime | None
    organizations: tuple[str, ...] = ()
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes, finds and ends tokens. A token never gives more than its user holds at that moment."""

    records: Records
    clock: Clock

    def make(
        self,
        user: str,
        name: str,
        scopes: Sequence[str],
        days: int,
        *,
        organizations: Sequence[str] = (),
        strong: bool = False,
    ) -> str:
        """A new token's secret, which is not kept. Raises InputError."""
        if not name.strip() or len(name) > 60 or not scopes or not set(scopes) <= set(SCOPES):
            raise InputError("名前と範囲(read・work・approve)を指定してください。", "give a name and scopes")
        if not 1 <= days <= LONGEST_DAYS or self.records.count(KIND, {"user": user}) >= MOST:
            raise InputError(
                f"期限は 1〜{LONGEST_DAYS} 日、一人 {MOST} 個までです。",
                f"1 to {LONGEST_DAYS} days, at most {MOST} tokens a person",
            )
        secret, now = PREFIX + secrets.token_urlsafe(32), self.clock.now()
        body = {
            "name": name.strip(),
            "user": user,
            "scopes": sorted(set(scopes)),
            "organizations": sorted(set(organizations)),
            "created": now.isoformat(),
            "expires": (now + timedelta(days=days)).isoformat(),
            "used": None,
            "strong": strong,
        }
        self.records.put(KIND, _hash(secret), body, expect=0)
        return secret

    def find(self, secret: str) -> Token | None:
        """The token of this secret that has not ended; notes the day of its use."""
        record = self.records.get(KIND, _hash(secret)) if secret.startswith(PREFIX) else None
        if record is None:
            return None
        token, now = _token(record.id, record.body), self.clock.now()
        if token.expires <= now:
            return None
        if token.used is None or now - token.used > timedelta(minutes=5):
            with suppress(Conflict):  # noted by another request, or ended in this moment
                self.records.put(
                    KIND, record.id, {**record.body, "used": now.isoformat()}, expect=record.version
                )
        return token

    def stands(self, token: Token, user: Vouched) -> bool:
        """Whether somebody still vouches for the token's user: an account that a directory or provider keeps is renewed by
        signing in alone, so that who left is known by not coming any more."""
        if user.source == "local" or user.signed_in is None:  # None: not since sign-ins are noted
            return True
        return self.clock.now() - max(user.signed_in, token.created) <= VOUCHED

    def of(self, user: str) -> list[Token]:
        """A person's tokens, newest first."""
        found = [_token(record.id, record.body) for record in self.records.find(KIND, {"user": user})]
        return sorted(found, key=lambda token: token.created, reverse=True)

    def end(self, identity: str, user: str) -> None:
        """End a token of one's own. Raises Refused for somebody else's."""
        record = self.records.get(KIND, identity)
        if record is None or record.body["user"] != user:
            raise Refused("このトークンはありません。", "there is no such token")
        self.records.delete(KIND, identity)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _token(identity: str, body: dict[str, object]) -> Token:
    used = body.get("used")
    scopes, organizations = body["scopes"], body.get("organizations", [])
    assert isinstance(scopes, list) and isinstance(organizations, list)
    return Token(
        identity,
        str(body["name"]),
        str(body["user"]),
        tuple(map(str, scopes)),
        datetime.fromisoformat(str(body["created"])),
        datetime.fromisoformat(str(body["expires"])),
        datetime.fromisoformat(str(used)) if used else None,
        tuple(map(str, organizations)),
        bool(body.get("strong")),
    )
