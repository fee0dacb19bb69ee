"""What a person typed wrong on the command line, said in Japanese with the library's English beside it."""

import re
import sys

from typer._click.exceptions import (  # Typer keeps its own copy of click and names these nowhere else
    BadParameter,
    ClickException,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
)

from hinomi.text import inert

_NO_VALUE = re.compile(r"Option '([^']*)' requires an argument")
_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", re.DOTALL)
_NO_COMMAND = re.compile(r"No such command '([^']*)'")
_REASONS = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"'(.*)' does not exist", "「{0}」がありません。"),
        (r"'(.*)' is not readable", "「{0}」を読む権限がありません。"),
        (r"'(.*)' is a file\b", "「{0}」はファイルです。フォルダを指定してください。"),
        (r"'(.*)' is a directory\b", "「{0}」はフォルダです。ファイルを指定してください。"),
        (r"valid integer", "整数で書いてください。"),
        (r"valid number", "数で書いてください。"),
        (r"greater than or equal to (\S+)", "{0} 以上の数にしてください。"),
        (r"less than or equal to (\S+)", "{0} 以下の数にしてください。"),
        (r"is not one of (.*?)\.?$", "{0} のどれかを書いてください。"),
    )
)
"""The library's words, and what they mean in Japanese; the first that fits counts."""


def tell(error: ClickException) -> int:
    """Print the error and where help is; the exit code."""
    if isinstance(error, NoArgsIsHelpError):
        error.show()
        return error.exit_code
    print(f"{_japanese(error)}\n({inert(error.format_message())})", file=sys.stderr)
    context = getattr(error, "ctx", None)
    if context is not None:
        print(f"使い方 / usage: {context.command_path} --help", file=sys.stderr)
    return error.exit_code


def _japanese(error: ClickException) -> str:
    name = _name(error)
    if isinstance(error, MissingParameter):
        return f"{name} を指定してください。"
    if isinstance(error, BadParameter):
        return f"{name} の値が正しくありません。{_why(error.message)}"
    if isinstance(error, NoSuchOption):
        near = ", ".join(error.possibilities or [])
        return f"オプション {inert(error.option_name)} はありません。" + (f"近いもの: {near}" if near else "")
    if wants := _NO_VALUE.search(error.message):
        return f"{inert(wants.group(1))} の値を書いてください。"
    if extra := _EXTRA.search(error.message):
        return f"余分な引数があります: {inert(extra.group(1))}"
    if command := _NO_COMMAND.search(error.message):
        return f"コマンド「{inert(command.group(1))}」はありません。"
    return "コマンドの書き方が正しくありません。"


def _why(message: str) -> str:
    for pattern, said in _REASONS:
        if found := pattern.search(message):
            return inert(said.format(*(one.replace("'", "").replace(", ", "、") for one in found.groups())))
    return ""


def _name(error: ClickException) -> str:
    """The option as it is typed, or the argument's name."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return "引数"
    options = [one for one in parameter.opts if one.startswith("--")]
    return options[0] if options else str(parameter.name)
