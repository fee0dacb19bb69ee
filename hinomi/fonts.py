"""The fonts of a PDF: Noto Sans JP from a package first, so that a report looks the same on every machine.

The system's Noto Sans CJK, where it is installed, stands behind it for rarer characters (names).
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from hinomi.errors import DependencyDown

_PACKAGED = "pylopdf_fonts_jp"
_PLACES = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_SYSTEM = ("NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "NotoSansJP-Regular.otf")
FAMILIES = ("Noto Sans JP", "Noto Sans CJK JP")


@cache
def fonts() -> tuple[Path, ...]:
    """Font files in the order in which they are tried. Raises DependencyDown when there is none."""
    found = [path for path in (_packaged(), _system()) if path is not None]
    if not found:
        raise DependencyDown(
            "PDF に使う日本語フォントがありません。pip install pylopdf-fonts-jp"
            " か apt install fonts-noto-cjk をしてください。",
            "no Japanese font for the PDF: pip install pylopdf-fonts-jp or apt install fonts-noto-cjk",
        )
    return tuple(found)


def _packaged() -> Path | None:
    spec = find_spec(_PACKAGED)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("NotoSansJP-Regular.otf")
    return path if path.is_file() else None


def _system() -> Path | None:
    for place in _PLACES:
        for name in _SYSTEM:
            if found := next(iter(sorted(place.rglob(name))), None):
                return found
    return None
