"""Every live group of every correlation, within a bound on memory, and as state that outlives the process.

A group of one entry of which nothing was told is kept as that entry alone: most groups of a busy rule are such.
The state is kept in shards, so that a saving writes only those that something came into.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from rules.correlation.group import Group
from rules.entry import Entry

MEMORY = 1 << 30
"""Bytes that groups may take, reckoned; beyond it those that were quiet longest go, counted as `correlation_memory`."""
SHARDS = 64
_OF_GROUP = 420  # bytes of a group beside its entries and what was told: measured (benchmarks.correlate)
_OF_PLACE = 8  # bytes of an entry that another group reckons with
_LEAVE = 0.9  # of MEMORY is kept when it is exceeded, so that making room is rare

Key = tuple[str, ...]
Held = Group | Entry


@dataclass(frozen=True, slots=True)
class Lost:
    """What was given up: of which rule, how many groups and entries."""

    rule: str
    groups: int
    entries: int


@dataclass(slots=True)
class Groups:
    """by_rule: rule id → group key → group. memory: bytes allowed; taken: bytes reckoned."""

    memory: int = MEMORY
    taken: int = 0
    by_rule: dict[str, dict[Key, Held]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)

    def of(self, rule: str, key: Key) -> Group:
        """The group, new where there is none; `keep` it after use."""
        held = self.by_rule.setdefault(rule, {}).get(key)
        if held is None:
            return Group()
        return Group([held]) if isinstance(held, Entry) else held

    def keep(self, rule: str, key: Key, group: Group, added: int) -> None:
        """Put it back. added: bytes of text that came in."""
        own = self.by_rule[rule]
        if key not in own:
            self.taken += _OF_GROUP
        self.taken += added + (group.grew() if group.told else 0)
        own[key] = (
            group.entries[0]
            if len(group.entries) == 1 and not group.told and group.forgotten is None
            else group
        )
        if len(self.changed) < SHARDS:
            self.changed.add(shard(rule, key))

    def live(self) -> int:
        """How many groups there are."""
        return sum(map(len, self.by_rule.values()))

    def sweep(self, before: Callable[[str], int], common: Collection[str] = ()) -> Iterator[tuple[str, int]]:
        """Forget what can change nothing any more; (rule, entries over a group's bound) where that was more.

        before: rule id → the mark before which entries of the rule go; common: ids of rules whose signals several correlations
        take: one that is in groups of several is there once, and reckoned once.
        """
        self.taken = 0
        weigh = _Once(common)
        for rule, own in self.by_rule.items():
            limit, over = before(rule), 0
            for key, held in list(own.items()):
                over += self._swept(own, key, held, limit, weigh)
            if over:
                yield rule, over

    def _swept(self, own: dict[Key, Held], key: Key, held: Held, limit: int, weigh: "_Once") -> int:
        if isinstance(held, Entry):
            if held.mark < limit:
                del own[key]
                return 0
            self.taken += _OF_GROUP + weigh.size((held,))
            return 0
        over = held.evict(limit)
        held.grew()
        if held.entries or held.told:
            self.taken += _OF_GROUP + held.reckoned + weigh.size(held.entries)
        else:
            del own[key]
        return over

    def shrink(self) -> list[Lost]:
        """Give up the groups that were quiet longest, until what is kept is well within the bound."""
        if self.taken <= self.memory:
            return []
        lost: dict[str, list[int]] = {}
        quiet = sorted(
            (_newest(held), rule, key) for rule, own in self.by_rule.items() for key, held in own.items()
        )
        for _, rule, key in quiet:
            if self.taken <= self.memory * _LEAVE:
                break
            held = self.by_rule[rule].pop(key)
            entries = [held] if isinstance(held, Entry) else held.entries
            told = 0 if isinstance(held, Entry) else held.reckoned
            self.taken -= _OF_GROUP + told + sum(map(size, entries))
            counted = lost.setdefault(rule, [0, 0])
            counted[0] += 1
            counted[1] += len(entries)
        return [Lost(rule, *counted) for rule, counted in lost.items()]

    def dump(self) -> list[list[Any]]:
        """[rule, key, body] of each group, as JSON."""
        return [_as_json(rule, key, held) for rule, own in self.by_rule.items() for key, held in own.items()]

    def dump_changed(self) -> dict[int, list[list[Any]]]:
        """What `dump` gives, by shard, of the shards that something came into since the last asking."""
        parts: dict[int, list[list[Any]]] = {number: [] for number in sorted(self.changed)}
        for rule, own in self.by_rule.items() if parts else ():
            for key, held in own.items():
                if (part := parts.get(shard(rule, key))) is not None:
                    part.append(_as_json(rule, key, held))
        self.changed.clear()
        return parts

    def take_over(self, other: "Groups") -> None:
        """The groups of another, as they are."""
        self.by_rule = other.by_rule
        self.taken, self.changed = other.taken, set(range(SHARDS))
        for own in self.by_rule.values():
            for held in own.values():
                if isinstance(held, Group):
                    held.tail = None

    def load(self, groups: Sequence[Sequence[Any]]) -> None:
        """Take up groups that `dump` gave."""
        for rule, key, body in groups:
            group = Group.of_json(body)
            self.by_rule.setdefault(rule, {})
            self.keep(rule, tuple(key), group, sum(map(size, group.entries)))


@dataclass(slots=True)
class _Once:
    """Reckons each entry of rules that are common once, whichever groups it is in."""

    common: Collection[str]
    seen: set[int] = field(default_factory=set)

    def size(self, entries: Sequence[Entry]) -> int:
        """Bytes that they take beside those reckoned already."""
        common, seen, taken = self.common, self.seen, 0
        for entry in entries:
            if entry.rule not in common:
                taken += entry.weight
            elif id(entry) in seen:
                taken += _OF_PLACE
            else:
                seen.add(id(entry))
                taken += entry.weight
        return taken


def shard(rule: str, key: Key) -> int:
    """Which part of the state a group is in: the same in every process."""
    return crc32("\0".join((rule, *key)).encode("utf-8", "surrogatepass")) % SHARDS


def size(entry: Entry) -> int:
    """Bytes that an entry takes, reckoned."""
    return entry.weight


def _newest(held: Held) -> int:
    return held.mark if isinstance(held, Entry) else held.newest()


def _as_json(rule: str, key: Key, held: Held) -> list[Any]:
    return [rule, list(key), (Group([held]) if isinstance(held, Entry) else held).as_json()]
