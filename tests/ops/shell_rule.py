"""The one rule that the tests of a hunt ask for: it hits whoever starts cmd.exe."""

from pathlib import Path

import yaml

RULE = {
    "title": "shell",
    "id": "00000000-0000-4000-8000-000000000001",
    "logsource": {"product": "windows", "category": "process_creation"},
    "detection": {"s": {"Image|endswith": "\\cmd.exe"}, "condition": "s"},
    "level": "low",
}


def put(folder: Path) -> None:
    """Write it into the folder."""
    (folder / "r.yml").write_text(yaml.safe_dump(RULE), encoding="utf-8")
