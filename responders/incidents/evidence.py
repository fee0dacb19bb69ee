"""Evidence: files by their SHA-256, with a chain of custody that only grows; sealed for others as a ZIP with a manifest.

The bytes lie on a shelf (`responders.incidents.shelf`); the record says who collected what, when and from where, and
everyone who took it in hand since. The seal is the manifest's hash in the audit log.
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hinomi.clock import Clock
from hinomi.errors import ContentError, InputError, Where
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.incidents.casefile import family_of
from responders.incidents.shelf import Shelf

KIND = "evidence"
LARGEST = 512 * 1024 * 1024
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What comes of reading what is no sealed ZIP, is cut, encrypted or packed in another way, or whose lists lack what they must have."""
_FIXED = (1980, 1, 1, 0, 0, 0)  # the ZIP's own times say nothing; the manifest's do


def collected(records: Records, incident_id: str) -> list[Record]:
    """The pieces of an incident and of those that it took in, oldest first."""
    return records.find(
        KIND, {"incident_id": family_of(records, incident_id)}, order="collected_at", limit=10_000
    )


@dataclass(frozen=True, slots=True)
class Vault:
    """Where evidence is kept. Whoever calls has checked who may."""

    records: Records
    clock: Clock
    audit: Audit
    shelf: Shelf

    def take(
        self, incident_id: str, name: str, content: bytes, *, by: str, origin: str, note: str = ""
    ) -> Record:
        """Take a file in: its bytes first, then the record. The same bytes under the same name are one piece."""
        if len(content) > LARGEST:
            raise InputError("証拠ファイルが大きすぎます(上限 512 MiB)。", "evidence is over 512 MiB")
        sha256, safe = hashlib.sha256(content).hexdigest(), _safe(name)
        identity = digest("evidence", incident_id, safe, sha256)
        if (held := self.records.get(KIND, identity)) is not None:
            return held
        self.audit.append(
            actor=by,
            action="evidence.collected",
            target=incident_id,
            details={"name": safe, "sha256": sha256, "bytes": len(content), "from": origin},
        )
        self.shelf.put(sha256, content)
        at = self.clock.now().isoformat()
        body = {
            "incident_id": incident_id,
            "name": safe,
            "sha256": sha256,
            "bytes": len(content),
            "collected_by": by,
            "collected_at": at,
            "origin": origin,
            "note": note,
            "custody": [{"at": at, "by": by, "what": "collected", "note": origin}],
        }
        return self.records.put(KIND, identity, body, expect=0)

    def of(self, incident_id: str) -> list[Record]:
        """Everything collected for an incident and those that it took in, oldest first."""
        return collected(self.records, incident_id)

    def hand(self, identity: str, *, by: str, what: str, note: str) -> Record:
        """One more link of the chain: who took it in hand, for what."""
        held = self._held(identity)
        details = {"name": held.body["name"], "sha256": held.body["sha256"], "note": note}
        self.audit.append(
            actor=by, action=f"evidence.{what}", target=held.body["incident_id"], details=details
        )
        link = {"at": self.clock.now().isoformat(), "by": by, "what": what, "note": note}
        body = {**held.body, "custody": [*held.body["custody"], link]}
        return self.records.put(KIND, identity, body, expect=held.version)

    def read(self, identity: str, *, by: str, why: str) -> bytes:
        """The bytes, checked against their hash; looking is a link of the chain. Raises ContentError when changed."""
        content = self._bytes(self._held(identity))
        self.hand(identity, by=by, what="read", note=why)
        return content

    def sealed(self, incident_id: str, *, by: str, why: str) -> bytes:
        """A ZIP of all evidence of an incident with its manifest; the manifest's hash goes into the audit log. Raises ContentError, before
        anything is written down, where a piece is gone or was changed."""
        held = self.of(incident_id)
        files = {_path(one.body): self._bytes(one) for one in held}
        pieces = [self.hand(one.id, by=by, what="exported", note=why) for one in held]
        manifest = orjson.dumps(
            {
                "incident": incident_id,
                "sealed_at": self.clock.now().isoformat(),
                "sealed_by": by,
                "reason": why,
                "files": [{"path": _path(one.body), **one.body} for one in pieces],
            },
            option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS,
        )
        seal = hashlib.sha256(manifest).hexdigest()
        entry = self.audit.append(
            actor=by, action="evidence.sealed", target=incident_id, details={"manifest_sha256": seal}
        )
        sums = "".join(f"{one.body['sha256']}  {_path(one.body)}\n" for one in pieces)
        return _zipped(
            {
                **files,
                "manifest.json": manifest,
                "SHA256SUMS": sums.encode(),
                "SEAL": f"manifest.json sha256 {seal}\naudit entry {entry}\n".encode(),
            }
        )

    def _held(self, identity: str) -> Record:
        held = self.records.get(KIND, identity)
        if held is None:
            raise InputError("この証拠はありません。", "there is no such evidence")
        return held

    def _bytes(self, held: Record) -> bytes:
        content = self.shelf.get(held.body["sha256"])
        if hashlib.sha256(content).hexdigest() != held.body["sha256"]:
            raise ContentError(
                f"証拠「{held.body['name']}」が失われたか、書き換えられています。",
                f"evidence {held.body['name']} is gone or was changed",
                where=Where(place) if (place := self.shelf.where(held.body["sha256"])) else None,
            )
        return content


def verify_sealed(archive: bytes, records: Records | None = None) -> list[str]:
    """What is wrong with a sealed ZIP, in words; empty when it is whole. records: to check the seal in the audit log."""
    try:
        files = _files(archive)
        listed = [
            (str(one["path"]), str(one["sha256"])) for one in orjson.loads(files["manifest.json"])["files"]
        ]
        _, _, seal, _, _, entry = files["SEAL"].decode().split()
    except _UNREADABLE as error:
        return [f"封印された ZIP として読めません({type(error).__name__})。/ not a sealed ZIP"]
    problems = [problem for path, sha256 in listed if (problem := _wrong(files.get(path), path, sha256))]
    known = {path for path, _ in listed} | {"manifest.json", "SHA256SUMS", "SEAL"}
    problems += [
        f"{name} は目録にありません。/ is not in the manifest" for name in files if name not in known
    ]
    digest_ = hashlib.sha256(files["manifest.json"]).hexdigest()
    if seal != digest_:
        problems.append("目録が書き換えられています。/ the manifest was changed")
    if records is not None:
        problems += _unsealed(records, entry, digest_)
    return problems


def _files(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _wrong(content: bytes | None, path: str, sha256: str) -> str:
    if content is None:
        return f"{path} がありません。/ is missing"
    changed = hashlib.sha256(content).hexdigest() != sha256
    return f"{path} が書き換えられています。/ was changed" if changed else ""


def _unsealed(records: Records, entry: str, sha256: str) -> list[str]:
    held = records.get("audit", entry)
    if held is None or held.body["details"].get("manifest_sha256") != sha256:
        return [f"監査記録 {entry} にこの封印はありません。/ audit entry {entry} does not hold this seal"]
    return []


def _zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _FIXED), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _path(body: Mapping[str, Any]) -> str:
    return f"files/{body['sha256'][:12]}-{body['name']}"


def _safe(name: str) -> str:
    """A file name without folders or control signs, at most 120 characters."""
    base = re.split(r"[/\\]", name)[-1]
    safe = re.sub(r"[^\w.\-()（）぀-ヿ一-鿿]", "_", base)[-120:].lstrip(".")
    if not safe:
        raise InputError("証拠に名前を付けてください。", "evidence needs a name")
    return safe
