"""Running a program that changes a target: no shell, a time limit, its words in our errors, its input never in argv."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hinomi.errors import ConfigError, DependencyDown, Refused
from hinomi.text import inert

_TIMEOUT = 30


def keys_only(key: Path, known_hosts: Path) -> list[str]:
    """Options of OpenSSH's clients: this key and no other way to sign in, and only where the host key is known."""
    return [
        *("-F", "/dev/null"),
        *("-o", "BatchMode=yes"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", f"UserKnownHostsFile={known_hosts}"),
        *("-o", "IdentitiesOnly=yes"),
        *("-o", "ConnectTimeout=10"),
        *("-i", str(key)),
    ]


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
