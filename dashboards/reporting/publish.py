"""A report on disk: HTML, PDF, XLSX and JSON with a SHA-256 file beside each, a signed manifest, and a record of it all."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboards.records_apart import REPORT
from dashboards.reporting import signing
from dashboards.reporting.document import Document
from dashboards.reporting.html import html
from dashboards.reporting.machine import machine
from dashboards.reporting.pdf import pdf
from dashboards.reporting.xlsx import xlsx
from hinomi.clock import JST
from hinomi.durable import write_durably
from hinomi.store import Records

_NO_FILE = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Published:
    """One file: where it is and the hash that shows whether it was changed."""

    path: Path
    sha256: str


FORMS: Mapping[str, Callable[[Document], bytes]] = {"html": html, "pdf": pdf, "xlsx": xlsx, "json": machine}


def publish(
    document: Document,
    folder: Path,
    records: Records | None = None,
    signer: Ed25519PrivateKey | None = None,
) -> list[Published]:
    """Write the report into the folder (made if need be) and note it in the records.

    Files are named `<report>-<day>[-<subject>][.<organization>].<language>.html|.pdf|.xlsx|.json`; made again, they replace the older ones.
    signer: signs a manifest of the hashes, `….signed.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subject = f"-{_file_name(document.subject)}" if document.subject else ""
    whose = f".{document.whose}" if document.whose else ""  # an id: no subject has a point in it
    stem = f"{document.name}-{document.start.astimezone(JST):%Y-%m-%d}{subject}{whose}.{document.language}"
    made = [write(folder / f"{stem}.{ending}", form(document)) for ending, form in FORMS.items()]
    if signer is not None:
        hashes = {one.path.name: one.sha256 for one in made}
        made.append(write(folder / f"{stem}{signing.ENDING}", signing.manifest(stem, hashes, signer)))
    if records is not None:
        records.put(REPORT, stem, _record(document, made))
    return made


def _file_name(subject: str) -> str:
    """The subject as a part of a file's name; what does not fit one is told apart by a hash."""
    clean = _NO_FILE.sub("_", subject)[:40]
    return clean if clean == subject else f"{clean}-{hashlib.sha256(subject.encode()).hexdigest()[:8]}"


def write(path: Path, content: bytes) -> Published:
    """The file, with its SHA-256 in one beside it. Raises OSError."""
    digest = hashlib.sha256(content).hexdigest()
    write_durably(path, content)
    write_durably(path.with_name(path.name + ".sha256"), f"{digest}  {path.name}\n".encode())
    return Published(path, digest)


def _record(document: Document, made: list[Published]) -> dict[str, object]:
    return {
        "name": document.name,
        "organization": document.whose,
        "title_ja": document.title.ja,
        "title_en": document.title.en,
        "language": document.language,
        "start": document.start.isoformat(),
        "end": document.end.isoformat(),
        "created": document.created.isoformat(),
        "facts": document.facts,
        "files": [
            {"name": one.path.name, "path": str(one.path.resolve()), "sha256": one.sha256} for one in made
        ],
    }
