"""ATT&CK coverage of rules and of the logs that feed them, and as a layer for the ATT&CK Navigator.

Facts: ATT&CK Navigator layer format 4.5 (github.com/mitre-attack/attack-navigator, layers/spec/v4.5).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules import watching
from rules.engine import RuleSet
from rules.engine.logsource import ANY_DATASET

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)$")
_TACTIC = re.compile(r"attack\.([a-z]+(?:-[a-z]+)*)$")
RULED, FED = "#6d8b58", "#b9833f"


@dataclass(frozen=True, slots=True)
class Covered:
    """A technique: how many rules look for it, and how many of them are fed by logs (that arrive, where asked)."""

    technique: str
    tactics: tuple[str, ...]
    rules: int
    fed: int


def coverage(rules: RuleSet, arriving: Collection[str] | None = None) -> list[Covered]:
    """Techniques that rules name, by id. arriving: datasets with events; None: whatever our sources could bring."""
    found: dict[str, list[tuple[tuple[str, ...], bool]]] = {}
    for tags, feeds in _rules(rules):
        fed = bool(feeds) if arriving is None else bool(arriving) and not _idle(feeds, arriving)
        steps = tuple(match[1] for tag in tags if (match := _TACTIC.match(tag.replace("_", "-"))))
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


def _idle(feeds: Collection[str], arriving: Collection[str]) -> bool:
    return {ANY_DATASET, *arriving}.isdisjoint(feeds)


def _rules(rules: RuleSet) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """(tags, datasets that can feed it) of detections, and of correlations through the rules that they watch."""
    for rule in rules.rules:
        if rule.unsupported is None:
            yield [tag.lower() for tag in rule.tags], rule.feeds
    for document in [*(one.document for one in rules.correlations), *(one.document for one in rules.others)]:
        bases = watching.bases(rules, str(document.get("id")))
        feeds = tuple({name for base in bases for name in base.feeds})
        yield [str(tag).lower() for tag in document.get("tags") or []], feeds


def layer(covered: Collection[Covered], name: str, arriving: bool = True) -> Mapping[str, Any]:
    """A Navigator layer: green where logs feed the rules, ochre where they only could.

    arriving: whether `fed` was counted by logs that arrive, or by what our sources could bring.
    """
    what = "logs that arrive" if arriving else "sources that Hinomi has"
    return {
        "name": name,
        "versions": {"layer": "4.5", "navigator": "5.1.0", "attack": "17"},
        "domain": "enterprise-attack",
        "description": f"Rules in force in Hinomi; score: rules that are fed by {what}.",
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
