"""How a playbook begins: by a rule that names it, or by a person who knows what it asks for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hinomi.words import Words
from ops.rhythm_alerts import KINDS
from responders.playbooks.named import GIVEN, inputs
from responders.playbooks.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Begins:
    """rules: how many name it; by_hand: a person is asked for each kind of target that it acts on."""

    rules: int
    by_hand: bool

    @property
    def words(self) -> Words:
        """As the list of playbooks says it; empty where it can never begin."""
        ja = [f"規則 {self.rules} 本"] if self.rules else []
        en = [f"{self.rules} rules"] if self.rules else []
        return Words("・".join(ja + ["手"] * self.by_hand), ", ".join(en + ["by hand"] * self.by_hand))


def of(playbook: Playbook, naming: Mapping[str, int]) -> Begins:
    """naming: as `naming` counts it."""
    return Begins(naming.get(playbook.playbook, 0), set(inputs(playbook)) <= set(GIVEN))


def naming(packs: Path) -> Counter[str]:
    """Playbook → how many rules of the packs, and of the watch over sources, name it."""
    found = Counter(str(one["playbook"]) for one in _own(packs) if one.get("playbook"))
    return found + Counter(one.playbook for one in KINDS.values() if one.playbook)


def _own(packs: Path) -> Iterator[dict[str, Any]]:
    """The `hinomi` part of every rule."""
    for path in sorted(packs.rglob("*.yml")):
        if path.name.endswith(".test.yml"):
            continue
        for document in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if isinstance(document, dict) and isinstance(document.get("hinomi"), dict):
                yield document["hinomi"]
