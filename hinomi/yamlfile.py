"""YAML that people write: safe, bounded, and remembering on which line each key stands.

`read()` gives plain values plus a `Places` that answers "which line is `sources.fortigate.port`?".
Aliases are refused (a YAML bomb needs them; our files do not), so are files over 5 MiB and nesting
over 40 levels, duplicate keys, and anything but plain YAML types.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hinomi.errors import InputError, Where
from hinomi.named import reading
from hinomi.yaml_mistakes import WIDE_BLANK, mistake

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 40
_TAKEN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp"))


@dataclass(slots=True)
class Places:
    """Lines (from 1) of the keys of one file, by dotted path (`steps.2.act`).

    written: as they stand in the file, values without quotes that YAML takes for truths, numbers or dates.
    """

    file: Path | str
    lines: dict[str, int] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def where(self, path: str) -> Where:
        """The place of a key, or of the nearest parent that the file has."""
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            line = self.lines.get(".".join(parts[:end]))
            if line is not None:
                return Where(self.file, line, path)
        return Where(self.file, None, path or None)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain values and where they stand."""

    value: Any
    places: Places


def read(path: Path) -> Document:
    """The only document of a file. Raises InputError naming file and line."""
    documents = read_all(path)
    if len(documents) != 1:
        raise InputError(
            f"YAML 文書が {len(documents)} 個あります。1 個にしてください。",
            f"holds {len(documents)} YAML documents, expected one",
            where=Where(path),
        )
    return documents[0]


def read_all(path: Path) -> list[Document]:
    """Every document of a file. Raises InputError naming file and line."""
    try:
        with reading(path):
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise InputError(
                    "ファイルが大きすぎます(上限 5 MiB)。", "file is over 5 MiB", where=Where(path)
                )
            text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "UTF-8 で保存されていません。", f"is not UTF-8 (byte {error.start})", where=Where(path)
        ) from error
    return parse(text, path)


def parse(text: str, file: Path | str) -> list[Document]:
    """Every document of a text; `file` is what errors name."""
    try:
        return list(_documents(text, file))
    except yaml.YAMLError as error:
        found = mistake(error, text)
        raise InputError(
            f"YAML として読めません。{found.words.ja}",
            f"not valid YAML: {found.words.en}",
            where=Where(file, found.line, column=found.column),
        ) from error
    except UnicodeEncodeError as error:
        raise InputError(
            "UTF-8 で書けない文字があります。",
            "holds a character that UTF-8 cannot write",
            where=Where(file, text.count("\n", 0, error.start) + 1),
        ) from error
    except RecursionError as error:
        raise InputError("入れ子が深すぎます。", "nested too deeply", where=Where(file)) from error


_PERHAPS_ALIAS = re.compile(r"(?:\A|[\s\ufeff\[{,:])\*\S")
"""Where a `*` can begin a value: only such files are gone through for aliases before they are read, which is half the work again."""


class _Loader(yaml.CSafeLoader):
    """Says where a value stands that no date, number or text can be made of."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, OverflowError) as error:
            raise yaml.MarkedYAMLError(problem="no such value", problem_mark=node.start_mark) from error


def _at(mark: Any, file: Path | str, key: str | None = None) -> Where:
    return Where(file, mark.line + 1, key, mark.column + 1) if mark else Where(file, None, key)


def _documents(text: str, file: Path | str) -> Iterator[Document]:
    for event in yaml.parse(text, Loader=yaml.CSafeLoader) if _PERHAPS_ALIAS.search(text) else ():
        if isinstance(event, yaml.AliasEvent):
            raise InputError(
                "YAML の別名(*名前)は使えません。値なら引用符 ' で囲み、別名なら指す内容をそのまま書いてください。",
                "YAML aliases (*name) are not accepted; put a value in quotes ', or write out what the alias stands for",
                where=_at(event.start_mark, file),
            )
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            places = Places(file)
            _walk(node, "", places, 0)
            yield Document(loader.construct_document(node), places)
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: str, places: Places, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InputError(
            f"入れ子が深すぎます(上限 {MAX_DEPTH} 段)。",
            f"nested deeper than {MAX_DEPTH} levels",
            where=_at(node.start_mark, places.file, path or None),
        )
    if path:
        places.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            child = f"{path}.{name}" if path else name
            line = key.start_mark.line + 1
            if name.startswith("\u3000"):
                raise InputError(
                    WIDE_BLANK.ja, WIDE_BLANK.en, where=_at(key.start_mark, places.file, path or None)
                )
            if name in seen:
                first = places.lines[child]
                raise InputError(
                    f"キー「{name}」が 2 回書かれています(1 回目は {first} 行目)。どちらかを消すか、一つにまとめてください。",
                    f'key "{name}" is written twice (first on line {first}); remove one or write them as one',
                    where=_at(key.start_mark, places.file, child),
                )
            seen.add(name)
            places.lines[child] = line
            _walk(value, child, places, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, f"{path}.{index}" if path else str(index), places, depth + 1)
    elif node.tag in _TAKEN:
        places.written[path] = node.value
