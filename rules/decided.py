"""What people decided about rules, as a file keeps it: which are switched off and on, and which are set aside."""

from pathlib import Path

import yaml
from pydantic import Field

from hinomi import config, durable, locking, yamlfile
from hinomi.config import Section
from rules.selector import Selector


class Kept(Section):
    """`choice.yml`: decisions in the order in which they were taken."""

    disable: list[Selector] = Field(default_factory=list)
    enable: list[Selector] = Field(default_factory=list)


def read_choice(path: Path | None) -> Kept:
    """The decisions that are kept; none where there is no file."""
    if path is None or not path.exists():
        return Kept()
    document = yamlfile.read(path)
    places = {key: document.places.where(key) for key in document.places.lines}
    return config.validate(document.value or {}, Kept, places, default=path)


def keep_choice(path: Path, kept: Kept) -> None:
    """Write the decisions, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    said = kept.model_dump(mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
    durable.write_durably(path, text.encode())


def decide(path: Path, way: str, selector: Selector) -> None:
    """One decision more, behind all that others took meanwhile. way: disable or enable. Raises ConfigError for a file that is wrong."""
    with locking.one_by_one(path):
        kept = read_choice(path)
        keep_choice(path, kept.model_copy(update={way: [*getattr(kept, way), selector]}))
