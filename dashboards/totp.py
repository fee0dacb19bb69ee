"""Time-based one-time passwords as a second factor. Facts: RFC 6238 (30 s, SHA-1, 6 digits), RFC 4226.

The secret is kept sealed with a key that lies beside the records, not in them; a code counts once.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PERIOD, DIGITS = 30, 6
_DRIFT = (0, -1, 1)
"""Steps that are tried: now, and one before and after, for clocks that differ."""


def new_secret() -> str:
    """A secret of 160 random bits in base 32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int) -> str:
    """The code of a step of 30 seconds."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return str((struct.unpack_from(">I", digest, at)[0] & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)


def step_of(moment: datetime) -> int:
    """The step in which the moment lies."""
    return int(moment.timestamp()) // PERIOD


def matching_step(secret: str, given: str, now: datetime, last: int) -> int | None:
    """The step of a right code that is newer than the last one used; None for a wrong or a used one."""
    clean = "".join(given.split())
    for drift in _DRIFT:
        step = step_of(now) + drift
        if step > last and hmac.compare_digest(code(secret, step).encode(), clean.encode("utf-8", "replace")):
            return step
    return None


def address(secret: str, account: str, issuer: str) -> str:
    """The `otpauth:` address that an authenticator app reads."""
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={secret}&issuer={quote(issuer)}"


class Safe:
    """Seals secrets of records with a key derived from one that lies outside them."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"hinomi second factor").derive(key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, secret: str) -> str:
        """The secret, sealed."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The secret; None where it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def recovery_codes(n: int = 8) -> list[str]:
    """Codes of 80 random bits for whoever loses the device; each counts once."""
    return [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(n)]


def hashed(recovery: str) -> str:
    """What is kept of a recovery code."""
    return hashlib.sha256(recovery.strip().lower().replace("-", "").encode()).hexdigest()
