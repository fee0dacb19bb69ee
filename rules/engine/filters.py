"""Exceptions (Sigma filters): whom they apply to, and which of them do nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rules.engine import expression
from rules.engine.expression import And, Search
from rules.engine.parsed import File


class Narrowing:
    """One Sigma filter: what it says, and whom it applies to."""

    def __init__(self, path: str, item: dict[str, Any], today: date) -> None:
        self.path = path
        self.item = item
        self.condition = expression.load(item["expression"])
        self.ended = item["expires"] is not None and date.fromisoformat(item["expires"]) < today
        self.applied: list[str] = []

    def named(self) -> list[str]:
        """The rules that it names, while it holds; none where it is for any."""
        names = self.item["rules"]
        return [] if self.ended or isinstance(names, str) else list(names)

    def as_json(self) -> dict[str, Any]:
        """As `Compiled.filters` has it."""
        known = {
            name: self.item[name]
            for name in ("title", "id", "version", "sha256", "owner", "reason", "expires")
        }
        return {**known, "path": self.path, "ended": self.ended, "applied": self.applied}


def filtered(rule: dict[str, Any], filters: list[Narrowing]) -> str:
    """What a rule says once the exceptions that apply to it are taken off."""
    said: str = rule["said"]
    applying = [one for one in filters if not one.ended and _applies(one.item, rule)]
    if not applying:
        return said
    narrowed = expression.of_text(said)
    for one in applying:
        one.applied.append(rule["id"])
        narrowed = And((narrowed, Search(f"filter: {one.item['title']}", one.condition)))
    return expression.text(narrowed)


def _applies(item: dict[str, Any], rule: dict[str, Any]) -> bool:
    """Sigma filters: the log source must be as wide or wider, the rule named by id or name (or any)."""
    if any(rule["logsource"].get(key) != value for key, value in item["logsource"].items()):
        return False
    return item["rules"] == "any" or rule["id"] in item["rules"] or rule["name"] in item["rules"]


def idle(filters: Iterable[Narrowing], files: Sequence[tuple[str, File]]) -> Iterator[dict[str, Any]]:
    """What is wrong with exceptions that name rules for which they do nothing."""
    rules = [rule for _, file in files for rule in file.rules]
    watchers = [one for _, file in files for one in (*file.correlations, *file.others)]
    for one in filters:
        for name in one.named():
            own = [rule for rule in rules if name in (rule["id"], rule["name"])]
            if not own:
                watcher = next((held for held in watchers if name in (held["id"], held.get("name"))), None)
                yield _missed(one, name) if watcher is None else _watching(one, name, watcher)
            elif not any(_applies(one.item, rule) for rule in own):
                yield _elsewhere(one, name)


def _missed(one: Narrowing, name: str) -> dict[str, Any]:
    return _of_filter(
        one,
        f"例外が名指しするルール「{name}」がないので、例外は効いていません。",
        f'the exception names "{name}", which no rule is called: it does nothing',
    )


def _watching(one: Narrowing, name: str, watcher: Mapping[str, Any]) -> dict[str, Any]:
    body = watcher.get("correlation") or watcher.get("baseline") or {}
    bases = ", ".join(map(str, body.get("rules", ())))
    return _of_filter(
        one,
        f"「{name}」は相関か平常値で、例外は効いていません。数えている土台のルール({bases})を名指ししてください。土台を数えるほかの検知にも効きます。",
        f'"{name}" is a correlation or baseline, for which an exception does nothing: name the rules that it counts ({bases}); '
        "it then holds for whatever else counts them, too",
    )


def _elsewhere(one: Narrowing, name: str) -> dict[str, Any]:
    return _of_filter(
        one,
        f"例外の logsource が「{name}」のものより狭いので、例外は効いていません。どのログにも効く書き方は product: any です。",
        f'the exception\'s logsource is narrower than that of "{name}": it does nothing; `product: any` fits every one',
    )


def _of_filter(one: Narrowing, ja: str, en: str) -> dict[str, Any]:
    return {"path": one.path, "line": None, "ja": ja, "en": en}
