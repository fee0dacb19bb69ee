"""What `explain` answers: a rule's condition as a tree, each part with whether it held and what it saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One value that a test looked at.

    column: where in the event; value: its text as rules compare it; spans: (start, end) in characters of
    what matched. Without spans a value that matched did so as a whole (a number, an address, presence).
    """

    column: str
    value: str
    matched: bool
    spans: tuple[tuple[int, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Spans as [start, end]."""
        return {
            "column": self.column,
            "value": self.value,
            "matched": self.matched,
            "spans": [list(span) for span in self.spans],
        }


@dataclass(frozen=True, slots=True)
class Node:
    """One part of the condition.

    kind: `and`, `or`, `not`, `search` or an operator of `rules.engine.expression`; name: of a search (as
    the condition calls it); field: the rule's name for a test's field (empty for keywords); columns: what
    it is in the event; wanted: the operand as Sigma writes it; seen: a test's values; parts: of the rest.
    """

    kind: str
    matched: bool
    name: str = ""
    field: str = ""
    columns: tuple[str, ...] = ()
    wanted: str = ""
    seen: tuple[Seen, ...] = ()
    parts: tuple["Node", ...] = ()

    def tests(self) -> Iterator["Node"]:
        """The leaves that speak for a match: those below a `not` left out."""
        if self.kind == "not":
            return
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.tests()

    def as_json(self) -> dict[str, Any]:
        """Nested objects; empty keys left out."""
        full = {
            "kind": self.kind,
            "matched": self.matched,
            "name": self.name,
            "field": self.field,
            "columns": list(self.columns),
            "wanted": self.wanted,
            "seen": [seen.as_json() for seen in self.seen],
            "parts": [part.as_json() for part in self.parts],
        }
        return {key: value for key, value in full.items() if value not in ("", [])}


_OURS = frozenset({"event.kind", "event.category", "event.type", "event.outcome"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rule holds of an event (`matched`) or not.

    routed: whether the event is of the rule's log source at all (`source`: what that asks of it);
    condition: the tree, evaluated whether routed or not.
    """

    rule_id: str
    title: str
    matched: bool
    routed: bool
    source: tuple[Node, ...]
    condition: Node

    def as_json(self) -> dict[str, Any]:
        """For `hinomi rules explain --json` and the console."""
        return {
            "rule": {"id": self.rule_id, "title": self.title},
            "matched": self.matched,
            "routed": self.routed,
            "source": [node.as_json() for node in self.source],
            "condition": self.condition.as_json(),
        }

    def spans(self) -> dict[str, dict[str, list[tuple[int, int]]]]:
        """What to highlight: column → value → spans, over every test that matched and speaks for it; of what the log
        source asks, the values that the sender wrote (not the categories that we add)."""
        found: dict[str, dict[str, list[tuple[int, int]]]] = {}
        asked = (node for node in self.source if node.field not in _OURS)
        for node in (*asked, *self.condition.tests()):
            for seen in node.seen:
                if seen.matched:
                    spans = found.setdefault(seen.column, {}).setdefault(seen.value, [])
                    spans += [span for span in seen.spans if span not in spans]
        return {
            column: {value: sorted(spans) for value, spans in values.items()}
            for column, values in found.items()
        }
