"""Acts that touch what a search finds: copies of a mail, rules, sessions, groups. What was found is shown to whoever approves; that is
taken, verified and given back, and nothing else. What appears later stays as it is, and is said.

How one product is asked is in a `Search`; that no more is touched than was approved, and the words, are written once, here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from hinomi.words import Words
from responders.connectors.held import value_of
from responders.connectors.protocol import Connector, Done, Searching
from responders.connectors.web_api import WebApi, trouble

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Extent:
    """What may be touched. only: the things that were approved, or found when the act began where nobody could be told how many there
    are, by name; None: whatever there is."""

    only: frozenset[str] | None = None

    def own(self, there: Sequence[Thing], names: Callable[[Thing], tuple[str, ...]]) -> list[Thing]:
        """Those of the things that may be touched: of which one of the names was approved."""
        return [one for one in there if self.only is None or not self.only.isdisjoint(names(one))]


EVERYTHING = Extent()
_NOTHING = Words("", "")
GONE = Words(
    "承認のときに見つかったものは、ありません。", "nothing is there of what was found when it was approved"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What is said of so many things: {n} of them, {v}: of whom. counter: what Japanese counts them in."""

    counter: str
    plan: Words
    did: Words
    none: Words
    back: Words

    def said(self, words: Words, n: int, value: str, more: Words = _NOTHING) -> tuple[str, str]:
        """In both languages, with what is said of others behind it."""
        return words.ja.format(n=n, v=value) + more.ja, words.en.format(n=n, v=value) + more.en


def since(more: int, counter: str) -> Words:
    """What is said of things that nobody approved, as they came later; empty of none."""
    if not more:
        return _NOTHING
    return Words(
        f"承認のあとに {more} {counter}が見つかりました。承認されていないため、そのままにしています。",
        f"; {more} more were found since the approval and stay as they are: nobody approved those",
    )


class Search(Protocol[Thing]):
    """How one product is asked."""

    @property
    def words(self) -> Counted:
        """What is said."""
        ...

    def opened(self) -> AbstractContextManager[WebApi]:
        """Signed in."""
        ...

    def find(self, api: WebApi, value: str) -> list[Thing]:
        """All that there are now. Raises Refused for a value that is none."""
        ...

    def names(self, thing: Thing) -> tuple[str, ...]:
        """The first is the thing's own: it is what was approved. The others are what the same thing may have been called then, where
        the product tells a part of it inexactly. One of them is the same as long as the thing is there; none is another's."""
        ...

    def take(self, api: WebApi, things: Sequence[Thing]) -> None:
        """Make them so; those that are so already are not found."""
        ...

    def back(self, api: WebApi, value: str, before: Mapping[str, Any]) -> int:
        """Put back what `journal` held; how many. Nothing for what cannot be put back."""
        ...

    def journal(self, things: Sequence[Thing]) -> dict[str, Any]:
        """What must be known to put them back."""
        ...

    def healthy(self, api: WebApi) -> None:
        """A question that costs nothing and needs the rights."""
        ...


@dataclass(frozen=True, slots=True)
class Found(Generic[Thing]):
    """The connector."""

    search: Search[Thing]
    extent: Extent = EVERYTHING

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        return True

    def within(self, extent: Collection[str]) -> "Found[Thing]":
        """See `Searching`."""
        return replace(self, extent=Extent(frozenset(extent)))

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """How many there are."""
        own, value = self._found(action, values)
        words = self.search.words
        said = words.said(words.plan if own else words.none, len(own), value)
        return Done(*said, changed=bool(own), extent=tuple(self.search.names(one)[0] for one in own))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """What is needed to put them back."""
        return self.search.journal(self._found(action, values)[0])

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Take each; what came since the approval stays, and is told."""
        value, words = value_of(action, values), self.search.words
        with self.search.opened() as api:
            there = self.search.find(api, value)
            own = self.extent.own(there, self.search.names)
            self.search.take(api, own)
        more = since(len(there) - len(own), words.counter)
        none = GONE if more.ja else words.none
        said = words.said(words.did if own else none, len(own), value, more)
        return Done(*said, changed=bool(own))

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether none is left of those that were approved."""
        return not self._found(action, values)[0]

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Back to what `look` found, which is no more than was approved."""
        value = value_of(action, values)
        with self.search.opened() as api:
            n = self.search.back(api, value, before)
        return Done(*self.search.words.said(self.search.words.back, n, value), changed=n > 0)

    def health(self) -> str:
        """Signs in and asks something harmless."""
        return trouble(self.search.opened, self.search.healthy)

    def _found(self, action: str, values: Mapping[str, str]) -> tuple[list[Thing], str]:
        """(those that may be touched, of whom)."""
        value = value_of(action, values)
        with self.search.opened() as api:
            return self.extent.own(self.search.find(api, value), self.search.names), value


@dataclass(frozen=True, slots=True)
class Divided:
    """A target of which one part does some acts and another the rest. parts: by action; the first one's health is the target's."""

    parts: Mapping[str, Connector]

    def searches(self, action: str) -> bool:
        """See `Searching`."""
        part = self.parts[action]
        return isinstance(part, Searching) and part.searches(action)

    def within(self, extent: Collection[str]) -> "Divided":
        """See `Searching`: the parts that search."""
        return Divided(
            {
                action: part.within(extent) if isinstance(part, Searching) else part
                for action, part in self.parts.items()
            }
        )

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        return self.parts[action].plan(action, values)

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """See `Connector`."""
        return self.parts[action].look(action, values)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        return self.parts[action].act(action, values)

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """See `Connector`."""
        return self.parts[action].verify(action, values)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """See `Connector`."""
        return self.parts[action].undo(action, values, before)

    def health(self) -> str:
        """See `Connector`."""
        return next(iter(self.parts.values())).health()
