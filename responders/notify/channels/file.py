"""A message as a file: written whole, named by its id, so that a second writing changes nothing."""

import re
from pathlib import Path
from typing import Literal

from hinomi.config import Section
from hinomi.errors import DependencyDown
from hinomi.named import why
from responders.notify.kinds import ChannelKind
from responders.notify.message import Message
from responders.oncall.settings import Contact


class Files(Section):
    """Messages as files in a folder, for closed networks and trials."""

    kind: Literal["file"]
    folder: Path
    inside: bool = True


def send(settings: Files, contact: Contact, message: Message, key: str) -> None:
    """Write `<id>.txt` into the folder."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", key)
    text = f"To: {contact.name_ja}\nSubject: {message.subject}\n\n{message.text}"
    try:
        settings.folder.mkdir(parents=True, exist_ok=True)
        temporary = settings.folder / f".{name}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(settings.folder / f"{name}.txt")
    except OSError as error:
        raise DependencyDown(
            f"フォルダ {settings.folder} に書けません({why(error).ja})。",
            f"cannot write to {settings.folder}: {error.strerror}",
        ) from error


KIND = ChannelKind("file", Files, send)
