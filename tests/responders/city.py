"""A small city for the responders' tests: a clock, records, people, alerts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hinomi.alert import Alert, Level
from hinomi.clock import FixedClock
from hinomi.store import Records
from hinomi.store.embedded import SqliteRecords
from responders.responder import Responder
from responders.settings import ResponderSettings

NIGHT = datetime(2026, 11, 19, 18, 14, tzinfo=UTC)  # 03:14 JST
KEY = b"k" * 32
ANALYST = ["analyst"]
MANAGER = ["information_system_manager"]
OFFICES = {"sato": ANALYST, "suzuki": MANAGER, "mori": ["ciso"], **{f"boss{n}": MANAGER for n in range(20)}}


def alert(name: str = "vpn_spray", *, minutes: int = 0, level: str = "high", **more: Any) -> Alert:
    """An alert of a rule, so many minutes after 03:14 JST."""
    time = NIGHT + timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "id": f"{name}-{minutes}",
        "rule_id": name,
        "rule_name": name,
        "title_ja": f"{name} を検知",
        "title_en": f"{name} found",
        "level": Level(level),
        "first": time,
        "last": time,
        "detected": time,
        "entities": {"user.name": ["t.yamada"], "source.ip": ["203.0.113.66"]},
        "what_to_do_ja": "成功したサインインがないかを確かめてください。",
        "what_to_do_en": "Look for a sign-in that succeeded.",
    }
    return Alert.model_validate({**values, **more})


def responder(folder: Path, *, store: Records | None = None, **sections: Any) -> tuple[Responder, FixedClock]:
    """A responder with one person on call, messages as files; the accounts of OFFICES. store: another one than a file here."""
    clock = FixedClock(NIGHT)
    settings = ResponderSettings.model_validate(
        {
            "oncall": {
                "people": {
                    "sato": {"name_ja": "佐藤", "channels": ["desk"]},
                    "suzuki": {"name_ja": "鈴木", "channels": ["desk"]},
                    "ciso": {"name_ja": "副市長", "channels": ["desk"]},
                },
                "layers": [{"people": ["sato"]}],
                "escalation": {
                    grade: [
                        {"after_minutes": 0, "to": ["oncall"]},
                        {"after_minutes": 15, "to": ["suzuki"]},
                        {"after_minutes": 30, "to": ["ciso"]},
                    ]
                    for grade in (1, 2, 3)
                },
            },
            "notify": {"channels": {"desk": {"kind": "file", "folder": str(folder / "messages")}}},
            **sections,
        }
    )
    records = store or SqliteRecords(folder / "records.sqlite", clock=clock)
    for name, roles in OFFICES.items():
        if records.get("user", name) is None:
            records.put("user", name, {"name": name, "roles": roles, "disabled": False}, expect=0)
    return Responder.of(records, clock, settings, KEY), clock


def messages(folder: Path) -> list[str]:
    """The messages that went out as files, by name."""
    return [path.read_text(encoding="utf-8") for path in sorted((folder / "messages").glob("*.txt"))]
