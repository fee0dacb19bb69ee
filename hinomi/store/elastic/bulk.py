"""Writing many documents: each is created under its own id, so sending it twice stores it once (409 = already there).

The answer is read item by item. What a mapping can never take is given back with the reason; what cannot be taken now
(429, a full disk, a node gone, no answer) is sent again, ever more slowly, until the deadline. How much is under way
is bounded (`pace`), and documents are made only as they are sent.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import elastic_transport
import orjson
from elasticsearch import ApiError, Elasticsearch

from hinomi.errors import StoreError
from hinomi.store.elastic.connection import LATER, said
from hinomi.store.elastic.pace import CONNECTIONS, Pace

FOR_GOOD = frozenset(
    {
        "document_parsing_exception",
        "illegal_argument_exception",
        "mapper_exception",
        "mapper_parsing_exception",
        "max_bytes_length_exceeded_exception",
        "strict_dynamic_mapping_exception",
        "x_content_parse_exception",
    }
)
"""Reasons that lie in the document itself: sending it again cannot help. All others (a full disk, a closed index, too
many shards, a missing right) lie in the cluster: the documents wait until somebody mends it."""
_NEVER = frozenset(
    {"action_request_validation_exception", "illegal_argument_exception", "x_content_parse_exception"}
)
"""Reasons for which a whole request is refused because of one document in it."""
_NO_ROOM = ("maximum normal shards open", "number of documents in the index")
"""Of refusals that come as illegal arguments, those that lie in the cluster all the same."""
_NO_RIGHT = "security_exception"
TOO_LARGE = "too_large: one document is larger than a request may be"


class Item(NamedTuple):
    """A document to be created: its index, id, JSON."""

    place: str
    id: str
    body: bytes


@dataclass(slots=True)
class Outcome:
    """What became of documents: stored, already there, and refused for good with the reason."""

    stored: int = 0
    duplicates: int = 0
    refused: list[tuple[Item, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    """What is to be sent again, why, and what was settled."""

    portion: Sequence[Item]
    again: list[Item]
    why: str = ""
    settled: Outcome = field(default_factory=Outcome)
    seconds: float = 0.0
    too_large: bool = False
    forbidden: bool = False

    def and_of(self, other: "_Answer") -> "_Answer":
        """Both as one."""
        mine, others = self.settled, other.settled
        settled = Outcome(
            mine.stored + others.stored,
            mine.duplicates + others.duplicates,
            mine.refused + others.refused,
        )
        both = [*self.portion, *other.portion]
        seconds = self.seconds + other.seconds
        forbidden = self.forbidden or other.forbidden
        return _Answer(
            both, self.again + other.again, self.why or other.why, settled, seconds, forbidden=forbidden
        )


@dataclass(slots=True)
class Bulk:
    """patience: seconds that documents are sent again for; refresh: make them findable at once (for tests)."""

    client: Elasticsearch
    patience: float = 30.0
    refresh: bool = False
    pace: Pace = field(default_factory=Pace)

    def send(self, items: Iterable[Item]) -> Outcome:
        """Create the documents. Raises StoreError when the cluster does not take them in time: none are lost, those
        already stored are found again as duplicates."""
        outcome, fresh, waiting = Outcome(), iter(items), deque[Item]()
        end, pause = time.monotonic() + self.patience, 0.1
        with ThreadPoolExecutor(CONNECTIONS, "bulk") as pool:
            under_way: set[Future[_Answer]] = set()
            while True:
                portion = self._portion(waiting, fresh)
                while portion and len(under_way) < self.pace.connections:
                    under_way.add(pool.submit(self._sent, portion))
                    portion = self._portion(waiting, fresh)  # made while the others are under way
                waiting.extendleft(reversed(portion))
                if not under_way:
                    return outcome
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                answers = [one.result() for one in done]
                for answer in answers:
                    self._take(answer, outcome)
                    waiting.extendleft(reversed(answer.again))
                if refused := [one for one in answers if one.forbidden]:
                    raise _forbidden(len(waiting), refused[0].why)
                if back := [one for one in answers if one.again]:
                    self._slow_down(back)
                    if time.monotonic() + pause > end:
                        raise _not_taken(len(waiting), back[0].why)
                    time.sleep(pause)
                    pause = min(pause * 2, 5.0)
                else:  # something was taken: patience counts anew
                    end, pause = time.monotonic() + self.patience, 0.1

    def _slow_down(self, back: Sequence[_Answer]) -> None:
        for answer in back:
            if answer.too_large:
                self.pace.too_large(sum(map(_weight, answer.portion)))
        if not all(answer.too_large for answer in back):
            self.pace.back()

    def _take(self, answer: _Answer, outcome: Outcome) -> None:
        outcome.stored += answer.settled.stored
        outcome.duplicates += answer.settled.duplicates
        outcome.refused += answer.settled.refused
        if not answer.again:
            self.pace.took(sum(map(_weight, answer.portion)), time.monotonic(), answer.seconds)

    def _portion(self, waiting: deque[Item], fresh: Iterator[Item]) -> list[Item]:
        """The next documents, those to be sent again first, up to the size that the pace allows; one at least."""
        portion: list[Item] = []
        size = 0
        while size < self.pace.size:
            item = waiting.popleft() if waiting else next(fresh, None)
            if item is None:
                break
            size += _weight(item)
            if portion and size > self.pace.size:
                waiting.appendleft(item)
                break
            portion.append(item)
        return portion

    def _sent(self, portion: Sequence[Item]) -> _Answer:
        began = time.monotonic()
        try:
            answer = self.client.bulk(
                operations=_lines(portion),  # type: ignore[arg-type]  # what is NDJSON already is sent as it is
                refresh=self.refresh,
                filter_path=_TOLD,
            )
        except ApiError as error:
            return self._refused(portion, error)
        except elastic_transport.TransportError as error:
            return _Answer(portion, list(portion), type(error).__name__)
        found = _sorted(portion, answer["items"])
        found.seconds = time.monotonic() - began
        return found

    def _refused(self, portion: Sequence[Item], error: ApiError) -> _Answer:
        """The whole request was refused. Where one document is the reason (an id that cannot be), halves find it."""
        if error.status_code == 413 and len(portion) == 1:
            return _Answer(portion, [], settled=Outcome(refused=[(portion[0], TOO_LARGE)]))
        if error.status_code in LATER or error.status_code == 413:
            why = f"HTTP {error.status_code}"
            return _Answer(portion, list(portion), why, too_large=error.status_code == 413)
        kind = _kind(error)
        if error.status_code == 400 and kind in _NEVER:
            if len(portion) == 1:
                return _Answer(portion, [], settled=Outcome(refused=[(portion[0], f"{kind}: {error}"[:500])]))
            half = len(portion) // 2
            return self._sent(portion[:half]).and_of(self._sent(portion[half:]))
        with said("イベントを書き込めません", "events cannot be written"):
            raise error


_TOLD = [
    "items.create.status",
    "items.create.error.type",
    "items.create.error.reason",
    "items.create.error.caused_by",
]


def _weight(item: Item) -> int:
    return len(item.body) + len(item.place) + len(item.id) + 40


def _sorted(portion: Sequence[Item], answers: Sequence[dict[str, Any]]) -> _Answer:
    found = _Answer(portion, [])
    for item, answer in zip(portion, answers, strict=True):
        told = answer["create"]
        status = told["status"]
        if status in {200, 201}:
            found.settled.stored += 1
        elif status == 409:
            found.settled.duplicates += 1
        elif status not in LATER and told.get("error", {}).get("type") in FOR_GOOD and not _full(told):
            found.settled.refused.append((item, _reason(told)))
        else:
            found.again.append(item)
            found.why = found.why or _reason(told)
            found.forbidden = found.forbidden or told.get("error", {}).get("type") == _NO_RIGHT
    return found


def _full(told: dict[str, Any]) -> bool:
    """Whether it is the cluster that has no room: some such refusals come as illegal arguments."""
    reason = told["error"].get("reason", "")
    return any(words in reason for words in _NO_ROOM)


def _kind(error: ApiError) -> str:
    found = error.body.get("error") if isinstance(error.body, dict) else None
    return str(found.get("type", "")) if isinstance(found, dict) else ""


def _lines(portion: Sequence[Item]) -> bytes:
    """NDJSON, made here: given a list, the client takes ten times as long for it."""
    lines: list[bytes] = []
    for item in portion:
        lines.append(orjson.dumps({"create": {"_index": item.place, "_id": item.id}}))
        lines.append(item.body)
    lines.append(b"")
    return b"\n".join(lines)


def _reason(told: dict[str, Any]) -> str:
    error = told.get("error", {})
    cause = error.get("caused_by", {}).get("reason", "")
    return f"{error.get('type', told['status'])}: {error.get('reason', '')} {cause}"[:500].strip()


def _not_taken(number: int, why: str) -> StoreError:
    return StoreError(
        f"Elasticsearch が {number:,} 件以上を受け取りません({why})。",
        f"Elasticsearch does not take {number:,} events or more: {why}",
    )


def _forbidden(number: int, why: str) -> StoreError:
    return StoreError(
        f"Elasticsearch の権限が足りず、{number:,} 件以上を書き込めません({why})。"
        "hinomi store roles の権限と、設定ファイルの利用者を確かめてください。",
        f"the account has not the right to write {number:,} events or more: {why};"
        " compare it with the roles of `hinomi store roles`",
    )
