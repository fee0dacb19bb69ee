"""`hinomi rules explain`: one event and one rule read, and what the rule says of it as lines for a terminal.

The condition is indented; in values, what matched stands between ⟦ ⟧.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hinomi.errors import ContentError, InputError, Where
from hinomi.named import reading
from hinomi.text import inert
from ops.folders import cache_folder, packs_folder
from rules import engine
from rules.engine.explain import batch_of
from rules.engine.explanation import Explanation, Node, Seen

_BRANCHES = {"and": "すべて / all of", "or": "いずれか / any of", "not": "次が成り立たない / not"}
_OPERATORS = {
    "is": "=",
    "is_cased": "= (大文字小文字を区別 / cased)",
    "re": "~",
    "cidr": "∈",
    "exists": "あり / exists:",
    "null": "=",
    "same": "= 欄 / field",
    "starts": "先頭 / starts with field",
    "ends": "末尾 / ends with field",
    "holds": "含む / contains field",
}
_AROUND = 40
"""Characters shown on either side of what matched."""
_MOST_VALUES = 5


def read_event(path: Path) -> dict[str, Any]:
    """One event out of a file (`-`: standard input) of one JSON object. Raises InputError."""
    try:
        with reading(path):
            text = (
                sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8", errors="replace")
            )
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"JSON として読めません({error})。", f"not JSON: {error}", where=Where(path)
        ) from None
    if not isinstance(event, dict):
        raise InputError(
            "イベント1件を JSON のオブジェクトで書いてください。",
            "one event as one JSON object",
            where=Where(path),
        )
    return event


def explain(rule: str, event: dict[str, Any], folders: Sequence[Path], dataset: str) -> Explanation:
    """What a rule (id or name out of the folders, or a file that holds one) says of an event."""
    file = Path(rule)
    if not file.suffix or not file.is_file():
        loaded = engine.load(folders or [packs_folder()], cache=cache_folder())
        return loaded.explain(rule, batch_of(event, dataset or None))
    loaded = engine.load([*folders, file])
    own = [one for one in loaded.rules if one.path == file]
    if not own:
        said = str(loaded.problems[0]) if loaded.problems else ""
        raise ContentError(f"検知ルールがありません。{said}", "no detection rule there", where=Where(file))
    return loaded.explain(own[0].id, batch_of(event, dataset or None))


def lines(told: Explanation) -> Iterator[str]:
    """The verdict, what the log source asks, and the tree. Everything from the event is made inert."""
    verdict = "一致 / matches" if told.matched else "不一致 / does not match"
    yield f"{verdict}: {inert(told.title)} ({inert(told.rule_id)})"
    if not told.routed:
        yield "このルールのログソースではありません / the event is not of this rule's log source"
    for node in told.source:
        yield from _node(node, 1)
    yield from _node(told.condition, 1)


def _node(node: Node, depth: int) -> Iterator[str]:
    start = f"{'  ' * depth}{'✓' if node.matched else '✗'} "
    if node.parts:
        label = inert(node.name) if node.kind == "search" else _BRANCHES[node.kind]
        yield start + label
        for part in node.parts:
            yield from _node(part, depth + 1)
        return
    field = node.field or "キーワード / keyword"
    operator = _OPERATORS.get(node.kind, "")
    yield start + " ".join(filter(None, [inert(field), operator, inert(node.wanted, 200)]))
    yield from _values(node, "  " * (depth + 2))


def _values(node: Node, indent: str) -> Iterator[str]:
    """What matched where anything did, else what was there instead."""
    shown = [seen for seen in node.seen if seen.matched] or list(node.seen if node.field else ())
    for seen in shown[:_MOST_VALUES]:
        yield f"{indent}{inert(seen.column)}: {_marked(seen)}"
    if len(shown) > _MOST_VALUES:
        yield f"{indent}…(+{len(shown) - _MOST_VALUES})"
    if node.field and not node.seen:
        yield f"{indent}{inert(', '.join(node.columns))}: 値なし / absent"


def _marked(seen: Seen) -> str:
    spans = _disjoint(seen.spans)[:_MOST_VALUES]
    if not spans:
        return inert(seen.value, 2 * _AROUND)
    first, last = max(0, spans[0][0] - _AROUND), min(len(seen.value), spans[-1][1] + _AROUND)
    pieces = ["…"] if first else []
    at = first
    for start, end in spans:
        pieces += [inert(seen.value[at:start], 4 * _AROUND), f"⟦{inert(seen.value[start:end], 4 * _AROUND)}⟧"]
        at = end
    pieces.append(inert(seen.value[at:last]))
    return "".join([*pieces, "…" if last < len(seen.value) else ""])


def _disjoint(spans: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
