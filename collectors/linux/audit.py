"""Linux audit records: how a line splits, and how the records of one event are put together.

Source: Linux Audit, "Audit Record Types" and "Audit Event Fields" (linux-audit/audit-documentation). An event is several
lines with one serial: `type=SYSCALL msg=audit(1763571245.123:4711): …`, then EXECVE, CWD, PATH, PROCTITLE. Values that
a program could have chosen are in quotes, or in capital hexadecimal digits where quotes would not do. An enriched line
has the names of its numbers behind a GS character.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes.key_value import key_value
from hinomi import ecs

HEAD = (
    r"^(?:audit(?:d|isp-syslog|spd)?: )?(?:node=(?P<node>\S+) )?(?:type=(?P<type>[A-Z][A-Z0-9_]*"
    r"|UNKNOWN\[\d+\]|\d+) )(?:msg=)?audit\((?P<epoch>\d{9,11}\.\d{3}):(?P<serial>\d{1,20})\):"
    r" ?"
)
_ENCODED = r"(?:^|(?P<b> ))(?P<k>proctitle|comm|exe|name|cwd|acct|cmd|data|vm|watch|dir|key)=(?P<v>(?:[0-9A-F]{2})+)(?P<e>$| )"
_ARGUMENT = r"(?P<b>^| )(?P<k>a\d+(?:\[\d+\])?)=(?P<v>(?:[0-9A-F]{2})+)(?P<e>$| )"
_NUMBERED = re.compile(r"a(?:0|[1-9][0-9]{0,5})\Z")
"""Arguments as the kernel numbers them; `a01` or `a²` is a name that somebody made up."""
_MARK = "\x02"
_HIDDEN = f"[\0{ecs.BETWEEN}]"
_EVENT = ["audit.node", "audit.epoch", "audit.serial", "header.host"]
_NAMES = {"node": "audit.node", "type": "audit.type", "epoch": "audit.epoch", "serial": "audit.serial"}
# What each record of an event tells of it; the others have none of these. In the order of their worth.
_TOLD: dict[str, tuple[str, ...]] = {
    "SYSCALL": ("exe", "comm", "pid", "ppid", "auid", "uid", "euid", "tty", "ses", "success", "exit", "syscall", "key",
                "SYSCALL", "UID", "AUID", "EUID", "gid", "subj"),
    "CWD": ("cwd",),
    "PROCTITLE": ("proctitle",),
    "EXECVE": ("command",),
    "SOCKADDR": ("saddr", "SADDR"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditRecords:
    """One frame of the lines that are audit records, each with the fields of its event's others."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Text columns by the audit field's own name; `audit.type`, `audit.serial` … of the head."""
        split = syslog.split(intake).with_columns(_whole_head().alias("message"))
        found = split.with_columns(pl.col("message").str.extract_groups(HEAD).alias("_head"))
        ours = found.filter(pl.col("_head").struct.field("serial").is_not_null())
        if not ours.height:
            return []
        head = [pl.col("_head").struct.field(name).alias(new) for name, new in _NAMES.items()]
        ours = ours.with_columns(head).drop("_head")
        frames = [self._fields(part, arguments=execve) for execve, part in _by_kind(ours)]
        return [_joined(pl.concat(frames, how="diagonal").sort("row"))] if frames else []

    def _fields(self, frame: pl.DataFrame, *, arguments: bool) -> pl.DataFrame:
        body = pl.col("message").str.replace(HEAD, "").str.replace_all("\x1d", " ")
        body = body.str.replace(r"\bmsg='", "").str.replace(r"'\s*(?:$| )", " ")
        marked = body.str.replace_all(_ENCODED, f"${{b}}${{k}}={_MARK}${{v}}${{e}}")
        if arguments:  # twice: the blank between two arguments belongs to the first of them
            again = f"${{b}}${{k}}={_MARK}${{v}}${{e}}"
            marked = marked.str.replace_all(_ARGUMENT, again).str.replace_all(_ARGUMENT, again)
        text = frame.with_columns(marked.str.strip_chars().alias("message"))
        read = key_value().read(text)
        seen = pl.concat([part.select("row") for part in read]) if read else text.select("row").clear()
        whole = pl.concat([*read, text.join(seen, on="row", how="anti")], how="diagonal")
        return whole.with_columns(_decoded(name) for name in whole.columns if _is_field(name, whole))


def _whole_head() -> pl.Expr:
    """A syslog relay takes `audit:` or `audispd:` for a tag, and the kernel writes a number for the type."""
    message = pl.col("message")
    return pl.when(message.str.contains(r"^(?:node=\S+ )?type=")).then(message).otherwise(
        message.str.replace(r"^(?:kernel: )?(?:\[ *\d+\.\d+\] )?", "")
    )  # fmt: skip


def _by_kind(frame: pl.DataFrame) -> list[tuple[bool, pl.DataFrame]]:
    execve = pl.col("audit.type").is_in(["EXECVE", "1309"])
    parts = ((True, frame.filter(execve)), (False, frame.filter(~execve)))
    return [(kind, part) for kind, part in parts if part.height]


def _is_field(name: str, frame: pl.DataFrame) -> bool:
    inner = name.startswith(("header.", "audit.")) or name in {"row", "message", "received", "peer"}
    return not inner and frame.schema[name] == pl.String


def _decoded(name: str) -> pl.Expr:
    """Marked digits as the text that they stand for; zeros between arguments as blanks, and a sign that parts values."""
    value = pl.col(name)
    digits = pl.when(value.str.starts_with(_MARK)).then(value.str.strip_prefix(_MARK))
    text = digits.str.decode("hex", strict=False).map_batches(_text, return_dtype=pl.String)
    return pl.coalesce(text.str.replace_all(_HIDDEN, " "), value.str.strip_prefix(_MARK)).alias(name)


def _text(values: pl.Series) -> pl.Series:
    """Bytes as text; what is no UTF-8 (whoever runs a command chooses its arguments) is replaced, and stays in the line."""
    try:
        return values.cast(pl.String)
    except (
        pl.exceptions.ComputeError
    ):  # one such value fails the cast of all, also where it need not be strict
        texts = [None if value is None else value.decode("utf-8", "replace") for value in values]
        return pl.Series(values.name, texts, dtype=pl.String)


def _joined(frame: pl.DataFrame) -> pl.DataFrame:
    """Each record with what the other records of its event tell, as columns `event.<field>`."""
    whole = _with_command(frame)
    for kind, names in _TOLD.items():
        have = [name for name in names if name in whole.columns]
        told = whole.filter(pl.col("audit.type") == kind)
        if have and told.height:
            one = told.unique(_EVENT, keep="first").select(
                *_EVENT, *(pl.col(name).alias(f"of.{name}") for name in have)
            )
            whole = whole.join(one, on=_EVENT, how="left", maintain_order="left", nulls_equal=True)
    return whole


def _with_command(frame: pl.DataFrame) -> pl.DataFrame:
    """`command`: the arguments of an EXECVE record in a row."""
    numbers = sorted(int(name[1:]) for name in frame.columns if _NUMBERED.match(name))
    execve = pl.col("audit.type").is_in(["EXECVE", "1309"])
    if not numbers:
        return frame
    command = pl.concat_str([pl.col(f"a{n}") for n in numbers], separator=" ", ignore_nulls=True)
    return frame.with_columns(pl.when(execve & (command != "")).then(command).alias("command"))
