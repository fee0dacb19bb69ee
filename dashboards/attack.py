"""ATT&CK tags of alerts and rules as steps of an intrusion, in words. Facts: `attack.yaml`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hinomi import yamlfile
from hinomi.words import Words, words

FILE = Path(__file__).with_name("attack.yaml")
_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)$")


@dataclass(frozen=True, slots=True)
class Step:
    """A tactic with the techniques seen under the same roof. `reached`: whether any finding names it."""

    key: str
    id: str
    name: Words
    reached: bool


@cache
def tactics() -> dict[str, tuple[str, Words]]:
    """Tactic as Sigma writes it → (id, name), in the order of an intrusion."""
    table = yamlfile.read(FILE).value["tactics"]
    return {key: (entry["id"], words(entry)) for key, entry in table.items()}


@cache
def _names() -> dict[str, Words]:
    return {key: words(entry) for key, entry in yamlfile.read(FILE).value["techniques"].items()}


def steps(tags: Iterable[str]) -> list[Step]:
    """Every tactic in order, those of the tags marked. A tactic that ATT&CK renamed shows only when it is reached."""
    found = {tag.removeprefix("attack.").replace("_", "-") for tag in tags if tag.startswith("attack.")}
    aliases = {"stealth", "defense-impairment", "resource-development", "reconnaissance"}
    return [
        Step(key, identity, name, key in found)
        for key, (identity, name) in tactics().items()
        if key in found or key not in aliases
    ]


def techniques(tags: Iterable[str]) -> list[tuple[str, Words]]:
    """(T1110.003, its name) of the tags, in order of id; a technique without a name of ours shows its id."""
    found = {match[1].upper() for tag in tags if (match := _TECHNIQUE.match(tag.lower()))}
    return [(identity, _names().get(identity, Words(identity, identity))) for identity in sorted(found)]
