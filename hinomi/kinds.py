"""One of several models, told apart by the key `kind:` of a person's file."""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Discriminator, Tag

Model = TypeVar("Model", bound=BaseModel)


def models_in(package: str, base: type[Model], besides: Collection[str] = ()) -> dict[str, type[Model]]:
    """The models of this base in a package's modules, by each `kind:` that they take. besides: modules that hold none."""
    found: dict[str, type[Model]] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name in besides:
            continue
        for value in vars(importlib.import_module(f"{package}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, base):
                found |= dict.fromkeys(get_args(value.model_fields["kind"].annotation), value)
    return found


def by_kind(models: Mapping[str, type[BaseModel]]) -> Any:
    """The type of a value whose `kind:` names one of these models; several kinds may share a model.

    Errors keep the user's own path: pydantic puts the chosen model into it, here in brackets, so that
    `hinomi.config.explain` knows that it is no key of the file.
    """

    def tag(value: Any) -> str | None:
        kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
        found = models.get(str(kind))
        return f"[{found.__name__}]" if found is not None else None

    choices: list[Any] = [Annotated[one, Tag(f"[{one.__name__}]")] for one in dict.fromkeys(models.values())]
    told_apart = Discriminator(
        tag,
        custom_error_type="unknown_kind",
        custom_error_message="unknown kind",
        custom_error_context={"expected": ", ".join(models)},
    )
    return Annotated[reduce(or_, choices), told_apart]
