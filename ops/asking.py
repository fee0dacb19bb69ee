"""A password asked for: at the terminal, unseen; where standard input is none (a pipe, a job), from there, in silence."""

import sys

import typer

from hinomi.errors import InputError


def password(prompt: str, *, twice: bool = False) -> str:
    """What was typed; twice: again, to be sure. Raises InputError where standard input ends, or the two differ."""
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=twice))
    said = _line()
    if twice and _line() != said:
        raise InputError(
            "パスワードが一致しません。標準入力に同じ行を2つ渡してください。",
            "the two passwords differ; standard input must bring the same line twice",
        )
    return said


def _line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise InputError(
            "パスワードを読めません。端末で実行するか、標準入力に渡してください。",
            "no password: run it in a terminal, or bring it on standard input",
        )
    return line.rstrip("\r\n")
