"""Write the table of every source at the end of docs/sources.md, made from the sources themselves.

usage: python -m ops.generate.sources
"""

from pathlib import Path

from collectors import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
_FOLDER = Path(__file__).parents[2] / "collectors" / "sources"
_HEADING = "## ソースの一覧 / Sources"


def page() -> str:
    """The whole page: what people wrote above the table, and the table."""
    written = PAGE.read_text(encoding="utf-8").partition(_HEADING)[0]
    rows = [
        f"| `{name}` | {source.title['ja']} / {source.title['en']} | `{_file(name)}` | {_cases(name)} |"
        for name, source in sorted(catalogue.sources().items())
    ]
    head = "| 名前 / name | 製品 / product | 定義 / file | 例 / cases |\n|---|---|---|---|\n"
    return f"{written}{_HEADING}\n\n{head}" + "\n".join(rows) + "\n"


def _file(name: str) -> str:
    stem = name.replace(".", "_")
    declared = _FOLDER / f"{stem}.source.yml"
    return f"collectors/sources/{declared.name if declared.exists() else f'{stem}.py'}"


def _cases(name: str) -> str:
    test = _FOLDER / f"{name.replace('.', '_')}.test.yml"
    return f"`{test.name}`" if test.exists() else "—"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
