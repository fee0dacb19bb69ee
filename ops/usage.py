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

_NO_COMMAND = re.compile(r"No such command '([^']*)'")


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
        return f"{name} の値が正しくありません。"
    if isinstance(error, NoSuchOption):
        near = ", ".join(error.possibilities or [])
        return f"オプション {inert(error.option_name)} はありません。" + (f"近いもの: {near}" if near else "")
    if command := _NO_COMMAND.search(error.message):
        return f"コマンド「{inert(command.group(1))}」はありません。"
    return "コマンドの書き方が正しくありません。"


def _name(error: ClickException) -> str:
    """The option as it is typed, or the argument's name."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return "引数"
    options = [one for one in parameter.opts if one.startswith("--")]
    return options[0] if options else str(parameter.name)
