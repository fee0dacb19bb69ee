"""The city's networks: zones in their order from the outside in, and how much the logs say flowed between them, as a drawing
and, for screens that are too narrow for one, as a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from dashboards.drawing import Drawing
from dashboards.texts import Texts
from hinomi.alert import search

PLACES: Mapping[str, tuple[int, int]] = {
    "external": (20, 100),
    "telework": (20, 210),
    "cloud": (20, 320),
    "dmz": (330, 60),
    "internet": (330, 210),
    "lgwan": (640, 210),
    "mynumber": (640, 320),
}
"""Left upper corner of each zone."""
_WIDE, _HIGH, _WIDTH, _HEIGHT = 220, 62, 880, 400
Flow = tuple[str, str]


def draw(events: Mapping[str, int], flows: Mapping[Flow, int], texts: Texts) -> str:
    """events: how many a zone's machines logged; flows: (from, to) → events; both of the same range."""
    drawing = Drawing(_WIDTH, _HEIGHT)
    most = max(flows.values(), default=1)
    for (left, right), n in sorted(flows.items(), key=lambda item: item[1]):
        if left in PLACES and right in PLACES and left != right:
            _flow(drawing, left, right, n, most, texts)
    for zone, (x, y) in PLACES.items():
        kind = "zone-node" if events.get(zone) else "zone-node quiet"
        drawing.link(_logs_of(zone), texts.get("zone", zone))
        drawing.rect(x, y, _WIDE, _HIGH, kind, "#ffffff", texts.get("zone", zone))
        drawing.text(x + 10, y + 24, texts.get("zone", zone), strong=True)
        drawing.text(x + 10, y + 46, _counted(events.get(zone, 0), texts))
        drawing.close_link()
    return drawing.svg(texts("zonemap.label"), "zonemap")


@dataclass(frozen=True, slots=True)
class Listed:
    """A zone in words: address: of its logs; events: how many; flows: to each other zone, the largest first."""

    name: str
    address: str
    events: str
    flows: list[str]


def listed(events: Mapping[str, int], flows: Mapping[Flow, int], texts: Texts) -> list[Listed]:
    """What `draw` shows of the same numbers, zone by zone."""
    largest = sorted(flows.items(), key=lambda item: -item[1])
    return [
        Listed(
            texts.get("zone", zone),
            _logs_of(zone),
            _counted(events.get(zone, 0), texts),
            [
                _told(*pair, n, texts)
                for pair, n in largest
                if pair[0] == zone != pair[1] and pair[1] in PLACES
            ],
        )
        for zone in PLACES
    ]


def _logs_of(zone: str) -> str:
    return "/search?" + urlencode({"range": "24h", "q": search("network.name", zone)})


def _counted(n: int, texts: Texts) -> str:
    return texts("zonemap.events", n=f"{n:,}") if n else texts("zonemap.none")


def _told(left: str, right: str, n: int, texts: Texts) -> str:
    return texts("zonemap.flow", left=texts.get("zone", left), right=texts.get("zone", right), n=f"{n:,}")


def _flow(drawing: Drawing, left: str, right: str, n: int, most: int, texts: Texts) -> None:
    (x1, y1), (x2, y2) = PLACES[left], PLACES[right]
    shift = 10 if left < right else -10
    start = (x1 + (_WIDE if x2 > x1 else 0 if x2 < x1 else _WIDE / 2), y1 + _HIGH / 2 + shift)
    end = (x2 + (0 if x2 > x1 else _WIDE if x2 < x1 else _WIDE / 2), y2 + _HIGH / 2 + shift)
    kind = f"flow f{1 + min(3, int(4 * n / (most + 1)))}"
    drawing.curve(*start, *end, kind, _told(left, right, n, texts))
    if x1 != x2:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 8)
        drawing.text(*middle, f"{n:,}", "middle")
