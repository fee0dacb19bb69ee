"""Configuration: one YAML file plus a drop-in folder, read into pydantic models.

`hinomi.yaml` may have beside it `hinomi.d/*.yaml`, merged in name order: mappings merge key by key, anything
else is replaced. Each room declares its section as a `Section`; `ops.settings` puts them together.
Every error names file, line, key, what stands there and what was expected.
"""

import difflib
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from hinomi import yamlfile
from hinomi.errors import ConfigError, HinomiError, ManyErrors, Where

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load(path: Path, model: type[Model]) -> Model:
    """The configuration in `path` and its drop-in folder (`<stem>.d`). Raises ConfigError or ManyErrors."""
    files = [path, *sorted((path.parent / f"{path.stem}.d").glob("*.yaml"))]
    value: dict[str, Any] = {}
    places: dict[str, Where] = {}
    for file in files:
        document = yamlfile.read(file)
        if document.value is None:
            continue
        if not isinstance(document.value, dict):
            raise ConfigError(
                "「キー: 値」の形で書いてください。", "expected a mapping of keys", where=Where(file, 1)
            )
        _merge(value, document.value)
        for key in document.places.lines:
            places[key] = document.places.where(key)
    return validate(value, model, places, default=path)


def validate(value: Any, model: type[Model], places: dict[str, Where], *, default: Path | str) -> Model:
    """The value as a model; errors carry the places of their keys."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors: list[HinomiError] = [explain(detail, places, default, model) for detail in error.errors()]
        raise errors[0] if len(errors) == 1 else ManyErrors(errors) from None


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


class Blaming(ValueError):
    """What a check of several sections together finds, and the one key that is to be changed (`spool.max_mib`)."""

    def __init__(self, key: str, ja: str, en: str) -> None:
        super().__init__(f"{ja}|{en}")
        self.key = key


def explain(
    detail: ErrorDetails, places: dict[str, Where], default: Path | str, model: type[BaseModel] | None = None
) -> ConfigError:
    """One pydantic error in the user's words, with its place."""
    path = ".".join(str(part) for part in detail["loc"] if not _is_tag(part))
    if detail["type"] == "unknown_kind" and isinstance(detail["input"], dict):
        path += ".kind"
    if isinstance(blaming := detail.get("ctx", {}).get("error"), Blaming):
        path = blaming.key
    nearest = _nearest(path, places) or _top(places)
    where = Where(nearest.file, nearest.line, path) if nearest else Where(default, None, path or None)
    ja, en = _sentence(detail, path, model)
    return ConfigError(ja, en, where=where)


def _is_tag(part: int | str) -> bool:
    """Parts that pydantic adds for unions and validators are no keys of the user's file."""
    return isinstance(part, str) and (
        "[" in part or part.startswith("function-") or part in {"str", "int", "float"}
    )


def _nearest(path: str, places: dict[str, Where]) -> Where | None:
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        if found := places.get(".".join(parts[:end])):
            return found
    return None


def _top(places: dict[str, Where]) -> Where | None:
    """Where the one file begins: what lacks at its top has no line of its own. None where several files were put together."""
    if len({where.file for where in places.values()}) != 1:
        return None
    return min(places.values(), key=lambda where: where.line or 0)


def _sentence(detail: ErrorDetails, path: str, model: type[BaseModel] | None) -> tuple[str, str]:
    kind, context, given = detail["type"], detail.get("ctx", {}), _shown(detail.get("input"))
    if kind == "missing":
        own = detail["loc"][-1]
        return (
            f"必要な項目がありません。「{own}: …」を書き足してください。",
            f'this key is required; add "{own}: …"',
        )
    if kind == "extra_forbidden":
        near = _suggest(detail["loc"], model)
        return f"知らない項目です。{near[0]}", f"unknown key{near[1]}"
    if kind == "unknown_kind":
        return _unknown_kind(detail["input"], context["expected"])
    if kind == "value_error" and "error" in context:
        ja, _, en = str(context["error"]).partition("|")
        return ja, en or ja
    expected = {
        "int_parsing": ("整数", "an integer"),
        "int_type": ("整数", "an integer"),
        "float_parsing": ("数", "a number"),
        "bool_parsing": ("true か false", "true or false"),
        "string_type": ("文字列", "text"),
        "list_type": ("一覧", "a list"),
        "dict_type": ("「キー: 値」の形", "a mapping"),
        "model_type": ("「キー: 値」の形", "a mapping"),
    }.get(kind)
    if expected:
        return f"「{given}」は{expected[0]}ではありません。", f'"{given}" is not {expected[1]}'
    if kind in {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}:
        bound = next(iter(context.values()))
        sign = {
            "greater_than_equal": "以上",
            "less_than_equal": "以下",
            "greater_than": "より大",
            "less_than": "より小",
        }[kind]
        return (
            f"「{given}」は使えません({bound} {sign})。",
            f'"{given}" must be {kind.replace("_", " ")} {bound}',
        )
    if kind in {"literal_error", "enum"}:
        return (
            f"「{given}」は使えません({context.get('expected')} のどれか)。",
            f'"{given}" is not one of {context.get("expected")}',
        )
    if kind == "string_pattern_mismatch":
        form = context["pattern"]
        return f"「{given}」は決まった書き方({form})ではありません。", f'"{given}" is not of the form {form}'
    return f"「{given}」は使えません({detail['msg']})。", f'"{given}": {detail["msg"]}'


def _unknown_kind(given: Any, known: str) -> tuple[str, str]:
    if not isinstance(given, dict):
        return f"「{_shown(given)}」は「キー: 値」の形ではありません。", f'"{_shown(given)}" is not a mapping'
    if "kind" not in given:
        return f"kind を書いてください({known} のどれか)。", f"this key is required: one of {known}"
    named = _shown(given["kind"])
    return (
        f"「{named}」という kind はありません({known} のどれか)。",
        f'"{named}" is not one of the kinds {known}',
    )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _suggest(loc: Sequence[int | str], model: type[BaseModel] | None) -> tuple[str, str]:
    known = list(_fields_at(loc[:-1], model)) if model else []
    if not known:
        return "", ""
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    listed = ", ".join(known)
    if close:
        return (
            f"「{close[0]}」のことですか。使える項目: {listed}",
            f'; did you mean "{close[0]}"? valid keys: {listed}',
        )
    return f"使える項目: {listed}", f"; valid keys: {listed}"


def _fields_at(parents: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """The keys that a model accepts at a place; empty where the place leaves plain models."""
    here: Any = model
    for part in parents:
        if isinstance(part, str) and part.startswith("["):  # the tag of one of several models
            here = _tagged(here, part)
            continue
        here = _inside(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        else:  # a key of a mapping or a number in a list
            here = getattr(here, "__args__", (None,))[-1]
    here = _inside(here)
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _tagged(annotation: Any, tag: str) -> Any:
    """The model that bears a tag."""
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    for choice in typing.get_args(annotation):
        if any(getattr(one, "tag", None) == tag for one in typing.get_args(choice)[1:]):
            return choice
    return None


def _inside(annotation: Any) -> Any:
    """`Model` of `Model | None`, `list[Model]` of `Annotated[list[Model], …]`; others as they are."""
    if typing.get_origin(annotation) is Annotated:
        return _inside(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (Union, types.UnionType):
        inner = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
        return _inside(inner[0]) if len(inner) == 1 else None
    return annotation
