"""A report's signature: a manifest of the hashes of its files, signed with the tower's own Ed25519 key.

The key lies in the data folder (`report.key`, mode 0600) and is made when it is first needed; its public half is written
beside each manifest, and its fingerprint is to be kept elsewhere: whoever may write the whole folder could sign anew.
Facts: RFC 8032.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from hinomi.errors import InputError, Where

ENDING = ".signed.json"
NAME = "report.key"


def own_key(data: Path) -> Ed25519PrivateKey:
    """The tower's key, in the data folder wherever its reports are written to: moved there from `reports`, where releases
    before kept it."""
    path, before = data / NAME, data / "reports" / NAME
    if not path.exists() and before.exists():
        before.replace(path)
    return key(path)


def key(path: Path) -> Ed25519PrivateKey:
    """The key of the file; made where there is none."""
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        raw = made.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def fingerprint(public: bytes) -> str:
    """What is printed and kept elsewhere: SHA-256 of the public key."""
    return hashlib.sha256(public).hexdigest()


def manifest(report: str, hashes: Mapping[str, str], signer: Ed25519PrivateKey) -> bytes:
    """The signed manifest: file name → SHA-256."""
    public = signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    said = _said(report, hashes)
    return orjson.dumps(
        {
            "report": report,
            "files": dict(sorted(hashes.items())),
            "public_key": base64.b64encode(public).decode(),
            "fingerprint": fingerprint(public),
            "signature": base64.b64encode(signer.sign(said)).decode(),
        },
        option=orjson.OPT_INDENT_2,
    )


def verify(path: Path, *, known: str = "") -> dict[str, bool]:
    """File name → whether it is as it was signed. Raises InputError for a signature that does not hold, or one by
    another key than `known` (a fingerprint kept elsewhere)."""
    try:
        held = orjson.loads(path.read_bytes())
        public = base64.b64decode(held["public_key"])
        signature, files = base64.b64decode(held["signature"]), dict(held["files"])
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _said(held["report"], files))
    except (OSError, ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise InputError(
            "署名が正しくありません。",
            f"the signature does not hold: {type(error).__name__}",
            where=Where(path),
        ) from error
    if known and fingerprint(public) != known.lower():
        raise InputError("控えてある鍵の署名ではありません。", "signed by another key", where=Where(path))
    return {name: _digest(path.with_name(Path(name).name)) == wanted for name, wanted in files.items()}


def _said(report: str, hashes: Mapping[str, str]) -> bytes:
    return orjson.dumps([report, dict(sorted(hashes.items()))])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
