"""Ed25519 keys of senders: made, written and read as PEM."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hinomi.errors import ConfigError, Where

PublicKeys = Mapping[str, Ed25519PublicKey]
PRIVATE, PUBLIC = "transfer.key", "transfer.pub"


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is known by: the beginning of its SHA-256, 16 hex digits."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def make(folder: Path) -> tuple[Path, Path]:
    """Write a new pair into a folder: the private key for its owner only. Raises ConfigError where one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    private, public = folder / PRIVATE, folder / PUBLIC
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            "鍵がすでにあります。上書きしません。",
            "there is a key already; it is not replaced",
            where=Where(private),
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def private_key(path: Path) -> Ed25519PrivateKey:
    """The sender's key. Raises ConfigError."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, error) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(path, "not Ed25519")
    return key


def public_keys(paths: Iterable[Path]) -> PublicKeys:
    """The keys of the senders that are believed, by id. Raises ConfigError."""
    found: dict[str, Ed25519PublicKey] = {}
    for path in paths:
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise _unreadable(path, error) from error
        if not isinstance(key, Ed25519PublicKey):
            raise _unreadable(path, "not Ed25519")
        found[key_id(key)] = key
    return found


def _unreadable(path: Path, why: object) -> ConfigError:
    return ConfigError(
        f"鍵を読めません(hinomi transfer keygen で作った Ed25519 の PEM): {why}",
        f"the key cannot be read (Ed25519 in PEM, as hinomi transfer keygen makes it): {why}",
        where=Where(path),
    )
