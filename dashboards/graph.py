"""Who touched what: the entities of an incident's alerts as a drawing, from addresses over people to machines and data.

A line joins what one alert names together; its weight is the gravest of those alerts.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dashboards.drawing import Drawing, cut
from dashboards.texts import Texts
from hinomi.alert import Alert

COLUMNS = (
    ("graph.from", ("source.ip", "client.ip")),
    ("graph.who", ("user.name", "user.target.name")),
    ("graph.machine", ("host.name", "destination.ip", "source.host")),
    (
        "graph.what",
        (
            "file.name",
            "url.domain",
            "dns.question.name",
            "group.name",
            "process.name",
            "service.name",
            "email.message_id",
            "file.hash.sha256",
            "cloud.instance.id",
            "cloud.resource.id",
        ),
    ),
)
_MOST, _WIDE, _HIGH, _GAP, _HEAD = 7, 190, 30, 9, 30
_WIDTH = 940
Key = tuple[int, str, str]
Link = Callable[[str, str], str]


@dataclass(slots=True)
class Web:
    """Nodes (column, field, value) with how many alerts name them, and edges with their alerts."""

    nodes: Counter[Key] = field(default_factory=Counter)
    edges: dict[tuple[Key, Key], list[Alert]] = field(default_factory=lambda: defaultdict(list))

    def add(self, alert: Alert) -> None:
        """The alert's entities, joined from one column to the next that it has."""
        columns = [keys for number in range(len(COLUMNS)) if (keys := _keys(alert, number))]
        for keys in columns:
            self.nodes.update(keys)
        for left, right in pairwise(columns):
            for edge in ((a, b) for a in left for b in right):
                self.edges[edge].append(alert)

    def column(self, number: int) -> tuple[list[Key], int]:
        """The nodes of a column that have room, the most named first, and how many more there are."""
        held = sorted((key for key in self.nodes if key[0] == number), key=lambda k: (-self.nodes[k], k))
        return held[:_MOST], max(0, len(held) - _MOST)


def draw(alerts: Sequence[Alert], texts: Texts, link: Link) -> str:
    """The drawing as SVG text; empty where fewer than two things are named. link: (field, value) → address."""
    web = Web()
    for alert in alerts:
        web.add(alert)
    columns = [web.column(number) for number in range(len(COLUMNS))]
    used = [number for number, (keys, _) in enumerate(columns) if keys]
    if sum(len(keys) for keys, _ in columns) < 2:
        return ""
    tallest = max(len(keys) + (1 if more else 0) for keys, more in columns)
    drawing = Drawing(_WIDTH, _HEAD + tallest * (_HIGH + _GAP))
    places = _places(columns, used)
    _edges(drawing, web, places, texts)
    for number in used:
        _column(drawing, number, columns[number], places, texts, link)
    return drawing.svg(texts("graph.label"), "graph")


def _keys(alert: Alert, number: int) -> list[Key]:
    """A value that stands under two fields of the column (an address as source and as client) is one node."""
    found: dict[str, Key] = {}
    for name in COLUMNS[number][1]:
        for value in alert.entities.get(name, ()):
            found.setdefault(
                value.lower(), (number, COLUMNS[number][1][0] if name == "client.ip" else name, value)
            )
    return list(found.values())


def _places(columns: list[tuple[list[Key], int]], used: list[int]) -> dict[Key, tuple[float, float]]:
    """Left upper corner of each node."""
    step = (_WIDTH - _WIDE) / max(1, len(used) - 1)
    return {
        key: (used.index(number) * step, float(_HEAD + row * (_HIGH + _GAP)))
        for number in used
        for row, key in enumerate(columns[number][0])
    }


def _edges(drawing: Drawing, web: Web, places: dict[Key, tuple[float, float]], texts: Texts) -> None:
    for (left, right), alerts in sorted(web.edges.items()):
        if left not in places or right not in places:
            continue
        (x1, y1), (x2, y2) = places[left], places[right]
        worst = max(alerts, key=lambda alert: alert.level.rank)
        titles = dict.fromkeys(texts.of(alert.title_ja, alert.title_en) for alert in alerts)
        kind = f"edge l-{worst.level.value}"
        drawing.curve(x1 + _WIDE, y1 + _HIGH / 2, x2, y2 + _HIGH / 2, kind, " / ".join(titles))


def _column(
    drawing: Drawing,
    number: int,
    column: tuple[list[Key], int],
    places: dict[Key, tuple[float, float]],
    texts: Texts,
    link: Link,
) -> None:
    keys, more = column
    x = places[keys[0]][0]
    drawing.text(x, 16, texts(COLUMNS[number][0]))
    for key in keys:
        _, name, value = key
        y = places[key][1]
        drawing.link(link(name, value), f"{texts.get('entity', name)}: {value}")
        drawing.rect(x, y, _WIDE, _HIGH, "node", "#ffffff", f"{texts.get('entity', name)}: {value}")
        drawing.text(x + 8, y + 19, cut(value, _WIDE + 6), strong=True)
        drawing.close_link()
    if more:
        drawing.text(x + 8, _HEAD + len(keys) * (_HIGH + _GAP) + 16, texts("queue.more", n=more))
