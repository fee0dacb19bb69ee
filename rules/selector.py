"""Which rules a person means: by id, tag, level, status, log source or folder."""

from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field, field_validator

from hinomi.config import Section

_SOURCE = ("product", "category", "service")


class Selector(Section):
    """Rules that fit every key given; each key is a value or a list of values, in which `*` stands for anything.

    owner, reason: who decided this, and why; until: the last day on which it counts.
    """

    id: list[str] = Field(default_factory=list)
    tag: list[str] = Field(default_factory=list)
    level: list[str] = Field(default_factory=list)
    status: list[str] = Field(default_factory=list)
    product: list[str] = Field(default_factory=list)
    category: list[str] = Field(default_factory=list)
    service: list[str] = Field(default_factory=list)
    path: list[str] = Field(default_factory=list)
    owner: str = ""
    reason: str = ""
    until: date | None = None

    @field_validator("id", "tag", "level", "status", *_SOURCE, "path", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @property
    def keys(self) -> dict[str, list[str]]:
        """What it asks for."""
        names = ("id", "tag", "level", "status", *_SOURCE, "path")
        return {name: values for name in names if (values := getattr(self, name))}

    def fits(self, about: Mapping[str, Any], path: str) -> bool:
        """Whether it means a rule. A selector that asks for nothing means none."""
        keys = self.keys
        return bool(keys) and all(
            any(
                fnmatchcase(held.lower(), wanted.lower())
                for held in _held(about, path, name)
                for wanted in values
            )
            for name, values in keys.items()
        )

    def live(self, today: date) -> bool:
        """Whether it has not ended."""
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        asked = " ".join(f"{name}={','.join(values)}" for name, values in self.keys.items())
        said = [part for part in (self.owner, self.reason, f"–{self.until}" if self.until else "") if part]
        return f"{asked} ({', '.join(said)})" if said else asked


def _held(about: Mapping[str, Any], path: str, name: str) -> Iterator[str]:
    if name == "path":
        yield path
    elif name == "tag":
        yield from map(str, about.get("tags") or ())
    elif name == "id":
        yield from (str(about[key]) for key in ("id", "name") if about.get(key))
    elif name in _SOURCE:
        yield str((about.get("logsource") or {}).get(name, ""))
    else:
        yield str(about.get(name, ""))
