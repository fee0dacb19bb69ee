"""A sender and the gateway behind it, for tests."""

import random
import shutil
from pathlib import Path
from typing import Any

from collectors.transfer import keys
from collectors.transfer.manifest import Manifest
from collectors.transfer.outbox import Outbox


class Sender:
    """Writes lines into a followed file and packs them."""

    def __init__(self, folder: Path, stream: str = "lgwan") -> None:
        self.folder, self.log, self.out = folder, folder / "app.log", folder / "out"
        if not (folder / "keys" / keys.PRIVATE).exists():
            keys.make(folder / "keys")
        self.public = folder / "keys" / keys.PUBLIC
        self.box = self.opened(stream)

    def opened(self, stream: str = "lgwan") -> Outbox:
        key = keys.private_key(self.folder / "keys" / keys.PRIVATE)
        box = Outbox(stream, key, self.out, self.folder / "state", {"fw": self.log})
        box.open()
        return box

    def send(self, *lines: str) -> Manifest:
        """One batch of these lines."""
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        made = self.box.pack()
        assert made is not None
        return made

    def files(self, made: Manifest) -> list[Path]:
        """The batch's files, the manifest last."""
        return [*(self.out / file.name for file in made.files), self.out / f"{made.label}.manifest.txt"]


def bring(drop: Path, *files: Path, rename: random.Random | None = None) -> list[Path]:
    """Put copies into the drop folder, under other names where the gateway renames."""
    drop.mkdir(exist_ok=True)
    brought = []
    for file in files:
        name = f"{rename.getrandbits(64):x}.txt" if rename else file.name
        temporary = drop / f".{name}"
        shutil.copy(file, temporary)
        brought.append(temporary.rename(drop / name))
    return brought


def listener(drop: Path, sender: Sender, **more: Any) -> dict[str, Any]:
    """The receiver's configuration."""
    return {"kind": "transfer", "path": str(drop), "keys": [str(sender.public)], **more}
