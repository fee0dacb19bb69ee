"""Who and what an incident is about, and what ties them: people, machines, addresses, files, cloud objects.

Two entities are tied when one alert names both; the tie carries when, where (zones) and how grave. Entities that half the
city shares tie nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from hinomi.alert import Alert
from responders.incidents.entities import entities

_MOST = 40  # entities of one alert that are tied with one another: a spray names hundreds


@dataclass(frozen=True, slots=True)
class Node:
    """One entity. alerts: how many name it; rank: the highest level of these (0–4)."""

    id: str
    kind: str
    name: str
    alerts: int
    rank: int
    first: datetime
    last: datetime
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two entities that alerts name together: how often, first and last time, through which zones."""

    one: str
    other: str
    alerts: int
    rank: int
    first: datetime
    last: datetime
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and ties, the gravest first."""

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]

    def around(self, identity: str) -> list[Tie]:
        """Ties of one entity."""
        return [tie for tie in self.ties if identity in (tie.one, tie.other)]

    def reach(self, identity: str) -> set[str]:
        """Every entity that can be reached from one, itself included."""
        found, edge = {identity}, [identity]
        while edge:
            here = edge.pop()
            near = {tie.other if tie.one == here else tie.one for tie in self.around(here)} - found
            found |= near
            edge.extend(near)
        return found


def graph(alerts: Sequence[Alert], common: Iterable[str] = ()) -> Graph:
    """The graph of an incident's alerts. common: addresses that everybody shares."""
    shared, named, tied = list(common), dict[str, list[Alert]](), dict[tuple[str, str], list[Alert]]()
    for alert in alerts:
        about = sorted(entities(alert, shared))[:_MOST]
        for one in about:
            named.setdefault(one, []).append(alert)
        for pair in combinations(about, 2):
            tied.setdefault(pair, []).append(alert)
    nodes = [_node(one, found) for one, found in named.items()]
    ties = [Tie(one, other, *_told(found)) for (one, other), found in tied.items()]
    nodes.sort(key=lambda node: (-node.rank, -node.alerts, node.id))
    ties.sort(key=lambda tie: (-tie.rank, -tie.alerts, tie.one, tie.other))
    return Graph(tuple(nodes), tuple(ties))


def _node(identity: str, alerts: Sequence[Alert]) -> Node:
    kind, _, name = identity.partition(":")
    return Node(identity, kind, name, *_told(alerts))


def _told(alerts: Sequence[Alert]) -> tuple[int, int, datetime, datetime, tuple[str, ...]]:
    zones = sorted({zone for alert in alerts for zone in alert.zones})
    return (
        len(alerts),
        max(alert.level.rank for alert in alerts),
        min(alert.first for alert in alerts),
        max(alert.last for alert in alerts),
        tuple(zones),
    )
