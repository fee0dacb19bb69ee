"""SVG primitives for the charts, the entity graph and the timeline.

Colours are attributes for the PDF; the console's style sheet recolours by class for light and dark.
"""

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from hinomi.text import inert

FONT = "Noto Sans JP, Noto Sans CJK JP, sans-serif"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
INK, SOFT, LINE = "#1b232d", "#525c69", "#d5d2c9"


@dataclass(slots=True)
class Drawing:
    """An SVG in the making. Whatever text goes in comes out inert and escaped."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def rect(self, x: float, y: float, w: float, h: float, kind: str, fill: str, title: str = "") -> None:
        tip = f"<title>{_text(title)}</title>" if title else ""
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'fill="{fill}">{tip}</rect>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.parts.append(
            f'<line class="axis" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{LINE}"/>'
        )

    def text(self, x: float, y: float, words: str, anchor: str = "start", strong: bool = False) -> None:
        kind, fill = ('class="strong" ', INK) if strong else ("", SOFT)
        self.parts.append(
            f'<text {kind}x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
            f'font-size="11" font-family="{FONT}">{_text(words)}</text>'
        )

    def curve(self, x1: float, y1: float, x2: float, y2: float, kind: str, title: str = "") -> None:
        """A soft line from left to right."""
        middle = (x1 + x2) / 2
        tip = f"<title>{_text(title)}</title>" if title else ""
        self.parts.append(
            f'<path class="{kind}" fill="none" stroke="{SOFT}" d="M{x1:.1f} {y1:.1f} '
            f'C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}">{tip}</path>'
        )

    def link(self, address: str, words: str) -> None:
        """What follows leads somewhere; words: where, for those who do not see it."""
        self.parts.append(f"<a href={quoteattr(drawn(address))} aria-label={quoteattr(drawn(words))}>")

    def close_link(self) -> None:
        self.parts.append("</a>")

    def svg(self, label: str, kind: str = "") -> str:
        role = "group" if any(part.startswith("<a ") for part in self.parts) else "img"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {kind}" role="{role}" '
            f'viewBox="0 0 {self.width} {self.height}" aria-label={quoteattr(drawn(label))}>'
        )
        return head + "".join(self.parts) + "</svg>"


def drawn(words: str) -> str:
    """Inert text without the code points that XML does not allow (a PDF's SVG reader would stop at one)."""
    return _NO_XML.sub("\ufffd", inert(words))


def _text(words: str) -> str:
    return escape(drawn(words))


def cut(words: str, width: int) -> str:
    """The words, shortened to about `width` pixels at 11 px (wide signs take 11, narrow ones 6.2)."""
    shown, used = "", 0.0
    for sign in drawn(words):
        used += 11 if ord(sign) > 0x2E7F else 6.2
        if used > width - 22:
            return shown + "…"
        shown += sign
    return shown
