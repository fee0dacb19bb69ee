"""Write docs/sources/table.md: every source with how it arrives, what it gives, how sure we are, and an example.

All of it is read off: arrival, fields and example from the lines in the test file beside a source, the status from the
corpus of real logs (tests/conformance/intake.yaml) that it is measured against.

usage: python -m ops.generate.sources
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from collectors import catalogue
from hinomi import ecs, yamlfile

_ROOT = Path(__file__).parents[2]
PAGE = _ROOT / "docs" / "sources" / "table.md"
_FOLDER = _ROOT / "collectors" / "sources"
_CORPUS = _ROOT / "tests" / "conformance" / "intake.yaml"
_HEAD = """# ソースの一覧 / Every source

この表は `python -m ops.generate.sources` がソースとその試験から作ります。手で直さないでください。
This table is made from the sources and their tests.

* 届き方: `syslog` は `tcp`・`udp`・`tls`・`relp` の受け口、`JSON` は `http`(`_bulk`)・`file`・`folder`、
  `表` は CSV などの `file`・`folder`。
  Arrival: syslog listeners; JSON by http, file or folder; tables (CSV) by file or folder.
* 状態: **実ログ**は第三者の実ログ集と突き合わせて検証したもの、**文書**はベンダーの公開文書から作り、実機では確かめていないもの、
  **汎用**は形式だけを読むもの。
  Status: checked against other people's real logs; written from the vendor's public documents; or generic.

| 名前 / name | 製品 / product | 届き方 / arrives | おもな項目 / fields | 状態 / status | 例 / example |
|---|---|---|---|---|---|
"""
_MOST_FIELDS = 7
_ALWAYS = {"event.kind", "event.category", "event.type", "observer.vendor", "observer.product"}
_SYSLOG = r"^(?:<\d{1,3}>|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d)"
_TABLE = r"^[^{<]*?([,\t|])[^,\t|]*\1[^,\t|]*\1"


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_row(name) for name in sorted(catalogue.sources())) + "\n"


def _row(name: str) -> str:
    title = catalogue.sources()[name].title
    cases = _cases(name)
    good = [case for case in cases if case.get("ecs")]
    cells = [
        f"`{name}`<br>`{_file(name)}`",
        f"{title['ja']}<br>{title['en']}",
        "・".join(dict.fromkeys(_arrival(str(case["raw"])) for case in good)) or "—",
        ", ".join(f"`{field}`" for field in _fields(good)) or "—",
        _status(name),
        f"`{_example(str(good[0]['raw']))}`" if good else "—",
    ]
    return f"| {' | '.join(cells)} |"


def _file(name: str) -> str:
    stem = name.replace(".", "_", 1)
    declared = _FOLDER / f"{stem}.source.yml"
    return declared.name if declared.exists() else f"{stem}.py"


def _cases(name: str) -> list[dict[str, Any]]:
    path = _FOLDER / f"{name.replace('.', '_', 1)}.test.yml"
    return list(yamlfile.read(path).value or []) if path.exists() else []


def _arrival(line: str) -> str:
    if line.lstrip().startswith("{"):
        return "JSON"
    if re.match(_SYSLOG, line) or not re.match(_TABLE, line):
        return "syslog"
    return "表"


def _fields(cases: list[dict[str, Any]]) -> list[str]:
    """ECS fields that the tests hold the source to, the commonest first."""
    counted = Counter(
        field
        for case in cases
        for field, value in case["ecs"].items()
        if value is not None and field in ecs.fields() and field not in _ALWAYS
    )
    return [field for field, _ in counted.most_common(_MOST_FIELDS)]


def _status(name: str) -> str:
    if name.startswith("generic."):
        return "汎用 / generic"
    return "実ログ / real logs" if name in _measured() else "文書 / documents"


@cache
def _measured() -> frozenset[str]:
    return frozenset(yamlfile.read(_CORPUS).value.values())


def _example(line: str) -> str:
    """The beginning of a line as a cell of a table can hold it."""
    short = " ".join(line.split())[:90]
    return short.replace("|", "\\|").replace("`", "'") + ("…" if len(line) > 90 else "")


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
