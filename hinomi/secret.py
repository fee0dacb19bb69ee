"""Secrets by reference: `env:NAME`, `file:/path`, `credential:name` (systemd); never a literal or printed."""

import os
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hinomi.errors import ConfigError
from hinomi.named import why
from hinomi.words import Words

_KINDS = ("env:", "file:", "credential:")


class Secret:
    """A reference to a secret. `reveal()` reads it when used; `str` and `repr` show the reference."""

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        if not reference.startswith(_KINDS) or not reference.partition(":")[2]:
            raise ValueError(
                "秘密は env:名前、file:パス、credential:名前 のどれかで書いてください。"
                "|write a secret as env:NAME, file:PATH or credential:NAME"
            )
        self.reference = reference

    @property
    def file(self) -> Path | None:
        """The file that it is read from; None for an environment variable, which stays as it was when the process started."""
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            return None
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"))
        return Path(name) if kind == "file" else folder / name

    def reveal(self) -> str:
        """The secret's text, trailing line end removed. Raises ConfigError when it is not there."""
        path = self.file
        if path is None:
            value = os.environ.get(self.reference.partition(":")[2])
            if value is None:
                raise self._missing(
                    Words("この環境変数がありません", "there is no such environment variable")
                )
            return value
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise self._missing(why(error)) from error
        except UnicodeDecodeError as error:
            raise self._missing(Words("UTF-8 の文字ではありません", "it is not UTF-8")) from error

    def _missing(self, reason: Words) -> ConfigError:
        return ConfigError(
            f"秘密「{self.reference}」を読めません({reason.ja})。",
            f"secret {self.reference} cannot be read: {reason.en}",
        )

    def __repr__(self) -> str:
        return f"Secret({self.reference})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    @classmethod
    def _read(cls, value: object) -> "Secret":
        """From configuration; the value itself is never part of an error: it may be the secret."""
        if isinstance(value, Secret):
            return value
        return cls(value if isinstance(value, str) else "")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.reference),
        )
