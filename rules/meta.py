"""What a rule says about itself to people, whatever its kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hinomi.alert import Level


@dataclass(frozen=True, slots=True)
class Meta:
    """Titles, level, what to do first, tags, the guideline clauses served, the playbook proposed."""

    id: str
    name: str
    title_ja: str
    title_en: str
    level: Level
    what_to_do_ja: str = ""
    what_to_do_en: str = ""
    tags: tuple[str, ...] = ()
    guideline: tuple[str, ...] = ()
    playbook: str = ""
    main: tuple[str, ...] = ("user.name", "host.name", "source.ip")

    @classmethod
    def of(
        cls,
        identity: str,
        title: str,
        level: str,
        tags: Sequence[str],
        custom: Mapping[str, Any],
        name: str = "",
    ) -> "Meta":
        """From Sigma's own keys and ours (`title_ja`, `what_to_do_ja`, `what_to_do_en`, `hinomi`)."""
        own = custom.get("hinomi") or {}
        return cls(
            id=identity,
            name=name or identity,
            title_ja=str(custom.get("title_ja") or title),
            title_en=title,
            level=Level(level),
            what_to_do_ja=str(custom.get("what_to_do_ja") or ""),
            what_to_do_en=str(custom.get("what_to_do_en") or ""),
            tags=tuple(str(tag) for tag in tags),
            guideline=_texts(own.get("guideline")),
            playbook=str(own.get("playbook") or ""),
            main=_texts(own.get("entity")) or ("user.name", "host.name", "source.ip"),
        )

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Meta":
        """From a whole rule document, as correlations and baselines have it."""
        return cls.of(
            str(document["id"]),
            str(document.get("title", "")),
            str(document.get("level") or "medium"),
            _texts(document.get("tags")),
            document,
            str(document.get("name") or document["id"]),
        )


def _texts(value: Any) -> tuple[str, ...]:
    """One text, or each of a list; nothing for what is empty."""
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value or ())
