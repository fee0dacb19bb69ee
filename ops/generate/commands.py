"""Write docs/commands.md from the commands themselves, so that the page and `--help` cannot differ.

usage: python -m ops.generate.commands
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from ops.cli import whole

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
_INTRODUCTION = """# コマンド / Commands

`hinomi` のすべてのコマンドです。`hinomi コマンド --help` で同じ説明が出ます。**太字**は必ず要るものです。終了コードは、うまくいけば 0、
使い方や入力の誤りなどは 0 以外で、理由を標準エラー出力に書きます。パスワードや鍵を引数に書くものはありません(尋ねるか、`env:名前`・
`file:パス` の参照で受け取ります)。

Every command of `hinomi`; `--help` says the same. What must be given is **bold**. The exit code is 0 where all went well; else
the reason stands on standard error. No password or key is an argument: they are asked for, or referred to by `env:NAME` or
`file:PATH`. This page is generated from the commands (`python -m ops.generate.commands`).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_section("hinomi", get_command(whole()), 1)])


def _section(path: str, command: Any, depth: int) -> Iterator[str]:
    """A command, or a group of them: heading, what it does, what it takes."""
    if depth > 1:
        yield f"{'#' * depth} `{path}`\n"
        yield _inert(command.help or "") + "\n"
    inner = getattr(command, "commands", None)
    if inner is None:
        yield from _table([one for one in command.params if not getattr(one, "hidden", False)])
        return
    for name, one in sorted(inner.items()):
        yield from _section(f"{path} {name}", one, depth + 1)


def _table(parameters: list[Any]) -> Iterator[str]:
    if not parameters:
        return
    yield "| | 意味 / meaning | 既定 / default |\n|---|---|---|"
    for one in parameters:
        named = f"`{_name(one)}`"
        yield f"| {f'**{named}**' if one.required else named} | {_inert(one.help or '')} | {_default(one.default)} |"
    yield ""


def _name(parameter: Any) -> str:
    return ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()


def _default(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if value is None or value is False or value == "" or value == [] or callable(value):
        return ""
    return f"`{value}`"


def _inert(text: str) -> str:
    """Words that Markdown takes as they are."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
