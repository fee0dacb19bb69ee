"""What a declaration's model cannot say alone: columns that exist, fields and values that ECS knows."""

import difflib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from collectors.declaration import Declaration, targets
from collectors.ecs_values import ALLOWED
from hinomi import ecs, yamlfile
from hinomi.errors import ContentError, HinomiError, ManyErrors

_FREE = ("labels",)  # an object of ECS whose keys are the user's


def check(declared: Declaration, path: Path) -> None:
    """Raises ContentError, or ManyErrors of them, with line and key."""
    flaws = list(_flaws(declared))
    if not flaws:
        return  # where things stand is read for who has to mend them: a start reads some hundred files
    places = yamlfile.read(path).places
    errors: list[HinomiError] = [ContentError(ja, en, where=places.where(key)) for key, ja, en in flaws]
    raise errors[0] if len(errors) == 1 else ManyErrors(errors)


Flaw = tuple[str, str, str]


def _flaws(declared: Declaration) -> Iterator[Flaw]:
    yield from _columns(declared)
    for column, _, target in targets(declared):
        key = f"fields.{column}"
        yield from _name(key, target.to)
        given = [*target.values.values(), *([target.otherwise] if target.otherwise is not None else [])]
        for value in given:
            yield from _allowed(key, target.to, value)
    for name, value in declared.constants.items():
        yield from _name(f"constants.{name}", name)
        yield from _allowed(f"constants.{name}", name, value)


def _columns(declared: Declaration) -> Iterator[Flaw]:
    if declared.format != "csv":
        return
    known = ", ".join(declared.columns)
    named = [(f"fields.{column}", column) for column in declared.fields]
    named += [(f"required.{index}", column) for index, column in enumerate(declared.required)]
    named += [
        (f"fields.{column}", other) for column, _, target in targets(declared) for other in target.where
    ]
    for key, column in named:
        if column not in declared.columns:
            yield (
                key,
                f"列「{column}」は columns にありません(あるもの: {known})。",
                f"no such column; columns: {known}",
            )
    for index, column in enumerate(declared.columns):
        if column in declared.columns[:index]:
            yield f"columns.{index}", f"列「{column}」が 2 回あります。", f'column "{column}" is there twice'


def _name(key: str, name: str) -> Iterator[Flaw]:
    """A field below a root of ECS must be one that ECS has: a slip of the pen is no vendor field."""
    root = name.split(".", 1)[0]
    if name in ecs.fields() or root in _FREE or root not in _roots():
        return
    near = difflib.get_close_matches(name, ecs.fields(), n=3)
    ja = f" 近い項目: {', '.join(near)}。" if near else ""
    en = f"; near: {', '.join(near)}" if near else ""
    yield key, f"ECS に「{name}」という項目はありません。{ja}", f'ECS has no field "{name}"{en}'


@cache
def _roots() -> frozenset[str]:
    return frozenset({name.split(".", 1)[0] for name in ecs.fields()})


def _allowed(key: str, name: str, value: str | list[str]) -> Iterator[Flaw]:
    allowed = ALLOWED.get(name)
    for one in [value] if isinstance(value, str) else value:
        if allowed is not None and one not in allowed:
            listed = ", ".join(sorted(allowed))
            yield (
                key,
                f"{name} に「{one}」は使えません({listed} のどれか)。",
                f'{name} cannot be "{one}"; one of {listed}',
            )
