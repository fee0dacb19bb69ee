"""The manifest of a batch: what was sent under which number, after which other manifest, signed.

A text file of two lines: one JSON object, and `ed25519 <key id> <signature in base64>` over a fixed prefix and that
line's bytes. The signed bytes are kept as they are, so that nothing depends on how JSON is written.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collectors.transfer.keys import PublicKeys, key_id

MARK = b'{"hinomi_transfer":'
LARGEST = 1 << 20
LARGEST_FILE = 64 << 20
_PREFIX = b"hinomi transfer 1\n"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$"
Name = Annotated[str, Field(pattern=NAME)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Unfit(Exception):
    """A file that is refused; reason is a short stable English key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Packed(BaseModel):
    """One file of a batch. name: as it was sent, gateways may change it; origin: of the lines; size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,249}$")]
    origin: Name
    sha256: Hash
    size: Annotated[int, Field(ge=0, le=LARGEST_FILE)]
    lines: Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """epoch: of the sender's state, which begins anew where that was lost; sequence: from 1 on in an epoch; made: ISO
    8601; previous: SHA-256 of the manifest before it, empty for the first of an epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hinomi_transfer: Literal[1] = 1
    stream: Name
    epoch: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    sequence: Annotated[int, Field(ge=1, le=1 << 48)]
    made: Annotated[str, Field(max_length=40)]
    previous: Hash | Literal[""]
    files: Annotated[tuple[Packed, ...], Field(max_length=1000)]

    @property
    def label(self) -> str:
        """What its files are named by: stream, epoch, number."""
        return f"{self.stream}-{self.epoch[:8]}-{self.sequence:012d}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A manifest whose signature holds, and the SHA-256 that the next one names."""

    manifest: Manifest
    sha256: str

    @classmethod
    def opened(cls, data: bytes, keys: PublicKeys) -> Self:
        """From a file's bytes. Raises Unfit: `unreadable_manifest`, `unknown_key` or `bad_signature`."""
        body, signature = _lines(data)
        try:
            method, key, given = signature.decode("ascii").split(" ")
            raw = base64.b64decode(given, validate=True)
        except (UnicodeDecodeError, ValueError, binascii.Error):
            raise Unfit("unreadable_manifest") from None
        if method != "ed25519" or key not in keys:
            raise Unfit("unknown_key")
        try:
            keys[key].verify(raw, _PREFIX + body)
        except InvalidSignature:
            raise Unfit("bad_signature") from None
        try:
            return cls(Manifest.model_validate_json(body), digest_of(body))
        except ValidationError:
            raise Unfit("unreadable_manifest") from None


def sealed(manifest: Manifest, key: Ed25519PrivateKey) -> tuple[bytes, str]:
    """The bytes of the manifest's file, and the SHA-256 that the next manifest names."""
    body = manifest.model_dump_json().encode()
    signature = base64.b64encode(key.sign(_PREFIX + body)).decode()
    return body + f"\ned25519 {key_id(key.public_key())} {signature}\n".encode(), digest_of(body)


def is_manifest(data: bytes) -> bool:
    """Whether a file means to be a manifest, under whatever name."""
    return data.startswith(MARK)


def digest_of(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def _lines(data: bytes) -> tuple[bytes, bytes]:
    lines = [line.rstrip(b"\r") for line in data.split(b"\n") if line.strip()]
    if len(data) > LARGEST or len(lines) != 2:
        raise Unfit("unreadable_manifest")
    return lines[0], lines[1]
