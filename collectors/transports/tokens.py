"""Who may send over HTTP: tokens compared in constant time, each with the origins that it may send to."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from collectors.settings import Listener


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: origins by the name that a path or index uses, and the one used without a name."""

    origins: frozenset[str]
    default: str

    def origin(self, name: str | None) -> str:
        """The origin for a path or index name; names that are no origin of ours fall to the default."""
        return name if name is not None and name in self.origins else self.default


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one listener. Read once at start: a changed secret needs a restart."""

    grants: Mapping[bytes, Grant]
    open_to_all: Grant | None

    @classmethod
    def of(cls, name: str, listener: Listener) -> "Tokens":
        """From configuration. Raises ConfigError for a secret that is not there."""
        own = frozenset({name, *(key for key, sender in listener.senders.items() if sender.token is None)})
        grants: dict[bytes, Grant] = {}
        for key, sender in listener.senders.items():
            if sender.token is not None:
                token = sender.token.reveal().encode()
                before = grants.get(token)
                reach = frozenset({key}) | (before.origins if before else frozenset())
                grants[token] = Grant(reach, before.default if before else key)
        if listener.token is None:
            return cls(grants, Grant(own, name) if not grants or len(own) > 1 else None)
        token = listener.token.reveal().encode()
        shared = grants.get(token)
        grants[token] = Grant(own | (shared.origins if shared else frozenset()), name)
        return cls(grants, None)

    def grant(self, authorization: bytes) -> Grant | None:
        """What an Authorization header allows: Bearer, ApiKey or Basic; None = refused."""
        found = self.open_to_all
        offered = _offered(authorization)
        for token, grant in self.grants.items():  # all of them, always: time must not tell which one is near
            for candidate in offered:
                if hmac.compare_digest(token, candidate):
                    found = grant
        return found


def _offered(authorization: bytes) -> list[bytes]:
    """What may be the token: as it stands, decoded, and the part after the colon (password, API key)."""
    scheme, _, value = authorization.strip().partition(b" ")
    value = value.strip()
    if scheme.lower() not in {b"bearer", b"apikey", b"basic"} or not value:
        return []
    offered = [value]
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if decoded:
        offered += [decoded, decoded.partition(b":")[2]]
    return [candidate for candidate in offered if candidate]
