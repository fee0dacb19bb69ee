"""ATT&CK coverage of the rules in force and of the logs that feed them, and as a layer for the ATT&CK Navigator.

Facts: ATT&CK Navigator layer format 4.5 (github.com/mitre-attack/attack-navigator, layers/spec/v4.5).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.attack import tactics
from dashboards.console.rulebook import Rulebook
from rules.engine.logsource import ANY_DATASET

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)$")
RULED, FED = "#6d8b58", "#b9833f"


@dataclass(frozen=True, slots=True)
class Covered:
    """A technique: how many rules look for it, and how many of them are fed by logs that arrive."""

    technique: str
    tactics: tuple[str, ...]
    rules: int
    fed: int


def coverage(book: Rulebook, arriving: Collection[str]) -> list[Covered]:
    """Techniques that rules in force name, by id. arriving: datasets with events."""
    found: dict[str, list[tuple[tuple[str, ...], bool]]] = {}
    for tags, feeds in _rules(book):
        fed = bool({ANY_DATASET, *arriving} & set(feeds)) and bool(arriving)
        steps = tuple(key for key in tactics() if f"attack.{key}" in {tag.replace("_", "-") for tag in tags})
        for tag in tags:
            if match := _TECHNIQUE.match(tag):
                found.setdefault(match[1].upper(), []).append((steps, fed))
    return [
        Covered(
            name,
            tuple(dict.fromkeys(s for steps, _ in each for s in steps)),
            len(each),
            sum(fed for _, fed in each),
        )
        for name, each in sorted(found.items())
    ]


def _rules(book: Rulebook) -> list[tuple[list[str], tuple[str, ...]]]:
    """(tags, datasets that can feed it) of detections, and of correlations through the rules that they watch."""
    rules = book.rules
    own = [([tag.lower() for tag in one.tags], one.feeds) for one in rules.rules if one.unsupported is None]
    for document in [*(one.document for one in rules.correlations), *(one.document for one in rules.others)]:
        feeds = tuple({name for base in book.bases(str(document.get("id"))) for name in base.feeds})
        own.append(([str(tag).lower() for tag in document.get("tags") or []], feeds))
    return own


def layer(covered: Collection[Covered], name: str) -> Mapping[str, Any]:
    """A Navigator layer: green where logs feed the rules, ochre where they only could."""
    return {
        "name": name,
        "versions": {"layer": "4.5", "navigator": "5.1.0", "attack": "17"},
        "domain": "enterprise-attack",
        "description": "Rules in force in Hinomi; score: rules that are fed by logs that arrive.",
        "techniques": [
            {
                "techniqueID": one.technique,
                "score": one.fed,
                "color": RULED if one.fed else FED,
                "comment": f"rules {one.rules}, fed {one.fed}",
                "enabled": True,
                "showSubtechniques": "." in one.technique,
            }
            for one in covered
        ],
        "legendItems": [
            {"label": "rules fed by logs", "color": RULED},
            {"label": "rules without logs", "color": FED},
        ],
        "hideDisabled": False,
    }
