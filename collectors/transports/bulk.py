"""Requests of the Elasticsearch `_bulk` kind: newline-delimited pairs of an action and a document.

Documents are kept as the bytes that were sent; only the short action lines are read.
Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from dataclasses import dataclass, field

import orjson

_TAKEN = frozenset({"create", "index"})
_WITH_DOCUMENT = frozenset({"create", "index", "update"})
_MOST_LINES = 400_000
_LONGEST_ACTION = 8192


class BadBulk(ValueError):
    """The body is no bulk request; the message says where, in English as Elasticsearch would."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action line. operation: create, index, update or delete; id: "" where the client gave none."""

    operation: str
    index: str
    id: str

    @property
    def taken(self) -> bool:
        """Whether we keep the document: changing and deleting events is refused."""
        return self.operation in _TAKEN


@dataclass(slots=True)
class Bulk:
    """What a request holds: every action in order, and the documents of those that are taken."""

    actions: list[Action] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)

    def taken(self) -> list[Action]:
        """The actions whose documents are kept, in the order of `documents`."""
        return [action for action in self.actions if action.taken]


def read(body: bytes, index: str) -> Bulk:
    """The pairs of a bulk body. index: used where an action names none. Raises BadBulk."""
    if body.count(b"\n") > _MOST_LINES:
        raise BadBulk(f"more than {_MOST_LINES} lines in one request")
    lines = iter(body.split(b"\n"))
    bulk, known = Bulk(), dict[bytes, Action]()
    for line in lines:
        if not line or line.isspace():
            continue
        action = known.get(line)
        if action is None:
            action = known[line] = _action(line, index, len(bulk.actions))
        bulk.actions.append(action)
        if action.operation in _WITH_DOCUMENT:
            document = next(lines, b"").rstrip(b"\r")
            if not document:
                raise BadBulk(f"action [{len(bulk.actions) - 1}] has no document after it")
            if action.taken:
                bulk.documents.append(document)
    return bulk


def _action(line: bytes, index: str, at: int) -> Action:
    if len(line) > _LONGEST_ACTION:
        raise BadBulk(f"action line [{at}] is longer than {_LONGEST_ACTION} bytes")
    try:
        value = orjson.loads(line)
        ((operation, meta),) = value.items()
        found = Action(operation, str(meta.get("_index") or index), str(meta.get("_id") or ""))
    except (orjson.JSONDecodeError, ValueError, AttributeError, RecursionError):
        raise BadBulk(
            f"Malformed action/metadata line [{at}], expected create, index, update or delete"
        ) from None
    if found.operation not in _WITH_DOCUMENT and found.operation != "delete":
        raise BadBulk(f"Malformed action/metadata line [{at}], expected create, index, update or delete")
    return found


def answer(actions: list[Action], ids: list[str], took_ms: int) -> bytes:
    """The response: 201 for each document that was kept, 400 for updates and deletes. ids: of the kept."""
    given = iter(ids)
    items = [_created(action, next(given)) if action.taken else _refused(action) for action in actions]
    errors = any(not action.taken for action in actions)
    return orjson.dumps({"took": took_ms, "errors": errors, "items": items})


def _created(action: Action, event_id: str) -> dict[str, object]:
    told = {"_index": action.index, "_id": event_id, "_version": 1, "result": "created", "status": 201}
    return {action.operation: told}


def _refused(action: Action) -> dict[str, object]:
    reason = "events are only added: use create or index"
    error = {"type": "illegal_argument_exception", "reason": reason}
    return {action.operation: {"_index": action.index, "_id": action.id, "status": 400, "error": error}}
