"""pySigma processing pipelines as people name them: a YAML file, or a pipeline that a pySigma plug-in registers.

What is given by name is known to the cache by the versions of the plug-ins installed; one given ready by a program is not
known to it, and its parses are not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hinomi.errors import ContentError, Where

if (
    TYPE_CHECKING
):  # a start without pipelines, from the cache, imports no pySigma: that alone takes half as long
    from sigma.plugins import InstalledSigmaPlugins
    from sigma.processing.pipeline import ProcessingPipeline

Given: TypeAlias = "ProcessingPipeline | Path | str"


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Pipelines in the order in which they apply. key: what the cache knows them by; None: by nothing."""

    ready: "list[ProcessingPipeline]"
    key: bytes | None


def read(given: Sequence[Given]) -> Pipelines:
    """Every pipeline. Raises ContentError naming a file or name that cannot be used."""
    found = [_read(one) for one in given]
    ready = sorted((pipeline for pipeline, _ in found), key=lambda one: one.priority)
    keys = [key for _, key in found]
    return Pipelines(ready, None if None in keys else b"\0".join(key for key in keys if key is not None))


def fingerprint(given: Path | str) -> bytes:
    """What decides what a pipeline does: its file's text, or its name with the versions of what is installed."""
    path = Path(given)
    if path.suffix not in (".yml", ".yaml"):
        return f"{given} {_versions()}".encode()
    try:
        return path.read_bytes()
    except OSError:
        return b""  # reading the rules says why


def _read(given: Given) -> "tuple[ProcessingPipeline, bytes | None]":
    if not isinstance(given, Path | str):
        return given, None
    path = Path(given)
    if isinstance(given, Path) or path.suffix in (".yml", ".yaml"):
        return _of_file(path)
    return _of_name(given), fingerprint(given)


def _of_file(path: Path) -> "tuple[ProcessingPipeline, bytes]":
    from sigma.exceptions import SigmaError
    from sigma.processing.pipeline import ProcessingPipeline

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(
            "パイプラインのファイルを読めません。",
            f"the pipeline file cannot be read: {error}",
            where=Where(path),
        ) from None
    try:
        return ProcessingPipeline.from_yaml(text), text.encode()
    except (SigmaError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ContentError(
            f"pySigma のパイプラインとして読めません({error})。",
            f"this is no pySigma pipeline: {error}",
            where=Where(path),
        ) from None


def _of_name(name: str) -> "ProcessingPipeline":
    known = _installed()
    if name not in known.pipelines:
        there = ", ".join(sorted(known.pipelines)) or "なし / none"
        raise ContentError(
            f"パイプライン「{name}」はありません。入っているもの: {there}。ファイルなら .yml で終わる名前にしてください。",
            f'there is no pipeline "{name}"; installed: {there}; a file ends in .yml',
        )
    made: ProcessingPipeline = known.get_pipeline_resolver().resolve_pipeline(name)
    return made


@cache
def _installed() -> "InstalledSigmaPlugins":
    from sigma.plugins import InstalledSigmaPlugins

    return InstalledSigmaPlugins.autodiscover()


@cache
def _versions() -> str:
    names = (one.metadata["Name"] for one in metadata.distributions())
    return " ".join(
        sorted(f"{name} {metadata.version(name)}" for name in names if name and "sigma" in name.lower())
    )
