"""One test case of a rule as written in its file, and whether its values are of their kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hinomi import yamlfile
from hinomi.errors import ContentError, Where


def wrong(where: Where, ja: str, en: str) -> ContentError:
    """An error that names its place."""
    return ContentError(ja, en, where=where)


@dataclass(frozen=True, slots=True)
class Written:
    """A case as written, and where in its file."""

    body: Mapping[str, Any]
    places: yamlfile.Places
    path: str

    def where(self, *keys: object) -> Where:
        """The place of a key of the case."""
        return self.places.where(".".join([self.path, *map(str, keys)]))

    def check(self) -> None:
        """Raises ContentError where a value is not of its kind."""
        if not isinstance(self.body["match"], bool):
            raise wrong(self.where("match"), "true か false を書いてください。", "must be true or false")
        events = self.body["events"]
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise wrong(
                self.where("events"),
                "事象(欄: 値)の一覧が必要です。",
                "a list of events (field: value) is required",
            )
        for name in ("alerts",) if "alerts" in self.body else ():
            whole(self.body[name], self.where(name))


def whole(value: object, where: Where) -> int:
    """A whole number from 0. Raises ContentError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(
            where, f"「{value}」は0以上の整数ではありません。", f'"{value}" is not a whole number from 0'
        )
    return value
