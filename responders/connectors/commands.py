"""Running a program that changes a target: no shell, a time limit, its words in our errors, its input never in argv."""

import subprocess
from collections.abc import Sequence

from hinomi.errors import ConfigError, DependencyDown, Refused
from hinomi.text import inert

_TIMEOUT = 30


def run(command: Sequence[str], *, what: str, stdin: str = "", refused: Sequence[int] = (1,)) -> str:
    """Standard output. Raises ConfigError for no such program, Refused for the exit codes that mean no, DependencyDown."""
    try:
        done = subprocess.run(
            list(command), input=stdin, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except FileNotFoundError as error:
        raise ConfigError(
            f"{what}: プログラム {command[0]} がありません。", f"{what}: no program {command[0]}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DependencyDown(
            f"{what}が応答しません({type(error).__name__})。", f"{what}: {type(error).__name__}"
        ) from None
    if done.returncode == 0:
        return done.stdout
    said = inert((done.stderr or done.stdout).strip(), 200)
    if done.returncode in refused:
        raise Refused(f"{what}が断りました({said})。", f"{what} refused: {said}")
    raise DependencyDown(f"{what}が {done.returncode} で終わりました({said})。", f"{what} failed: {said}")
