"""The clauses that playbooks serve: names, and how sure we are of each. Content: `clauses.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

from hinomi import yamlfile

FILE = Path(__file__).with_name("clauses.yaml")


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yamlfile.read(FILE).value
    return content


def guideline() -> dict[str, dict[str, str]]:
    """Clause → {ja, en, confidence, numbering}."""
    found: dict[str, dict[str, str]] = _content()["guideline"]
    return found


def nist() -> dict[str, str]:
    """Subcategory of NIST SP 800-61r3 → what it asks, in a few words."""
    found: dict[str, str] = _content()["nist"]
    return found


def inferred(clause: str) -> bool:
    """Whether the clause or its number could not be read in a primary source: shown as 推定."""
    entry = guideline()[clause]
    return "inferred" in (entry["confidence"], entry["numbering"])
