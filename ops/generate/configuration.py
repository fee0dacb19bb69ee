"""Write docs/configuration.md from the configuration's models, so that the page and the program cannot differ.

usage: python -m ops.generate.configuration
"""

import functools
import inspect
import operator
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ops.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
_INTRODUCTION = """# 設定 / Configuration

設定は1つの YAML ファイル(`hinomi.yaml`)に書きます。同じ場所の `hinomi.d/*.yaml` は名前の順に重ねます(キーごとに
合わせ、それ以外は置き換え)。知らないキーはエラーになり、近い名前を示します。秘密は値でなく参照で書きます:
`env:名前`、`file:パス`、`credential:名前`(systemd)。相対パスは、`hinomi` を起動した場所から数えます。

One YAML file (`hinomi.yaml`) plus `hinomi.d/*.yaml`, merged in name order. Unknown keys are errors that name the nearest
valid one. Secrets are references: `env:NAME`, `file:PATH`, `credential:NAME`. Relative paths count from where `hinomi` is
started. This page is generated from the models (`python -m ops.generate.configuration`).
"""
_MODULE = re.compile(r"(?<![.'\w])(?:[A-Za-z_]\w*\.)+")  # before a name, not within a quoted value


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_section("", Settings, set())])


def _section(path: str, model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    if path:
        yield f"## `{path}`\n"
    yield inspect.cleandoc(model.__doc__ or "") + "\n"
    yield "| key | type | default |\n|---|---|---|"
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_type(field.annotation)} | {_default(field)} |"
        inner += [
            (f"{path}.{name}{suffix}".lstrip("."), found) for suffix, found in _models(field.annotation)
        ]
    yield ""
    for where, found in inner:
        yield from _section(where, found, seen)


def _models(annotation: Any, suffix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield suffix, annotation
        return
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from _models(arguments[0], suffix)
    elif origin is dict:
        yield from _models(arguments[1], f"{suffix}.<name>")
    elif origin is list:
        yield from _models(arguments[0], f"{suffix}[]")
    elif origin in (typing.Union, types.UnionType):
        for choice in arguments:
            argument = typing.get_args(choice)[0] if typing.get_origin(choice) is typing.Annotated else choice
            kind = getattr(argument, "model_fields", {}).get("kind")
            named = (
                f" (kind: {typing.get_args(kind.annotation)[0]})"
                if kind and typing.get_args(kind.annotation)
                else ""
            )
            yield from _models(argument, suffix + named)


def _bare(annotation: Any) -> Any:
    """The type without how its values are checked (`Annotated`)."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _bare(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(operator.or_, map(_bare, arguments))
    if origin in (list, dict):
        return origin[tuple(map(_bare, arguments))]
    return annotation


def _type(annotation: Any) -> str:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    if typing.get_origin(annotation) is dict and typing.get_origin(value := typing.get_args(annotation)[1]):
        models = [found.__name__ for _, found in _models(value)]
        if models:
            return _short(f"dict[str, {' or '.join(models)}]")
    named = _MODULE.sub("", str(annotation)).replace("NoneType", "None")
    return _short(named.replace(" | ", " or "))


def _short(text: str) -> str:
    return text if len(text) < 90 else f"{text[:87]}…"


def _default(field: Any) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if value is PydanticUndefined:
        made = field.default_factory()
        return "see below" if isinstance(made, BaseModel) or made else "empty"
    return "—" if value is None else f"`{value}`" if value != "" else "empty"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
