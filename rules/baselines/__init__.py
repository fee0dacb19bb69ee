"""Baselines: rules of our own kind, in YAML beside Sigma. One file a type; being in the folder is enough.

title: …
id: …
level: high
baseline:
  type: impossible_travel
  rules: [vpn_login_ok, cloud_login_ok]
  entity: user.name
  …
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache

from hinomi.errors import ContentError, HinomiError, Where
from rules.baselines.baseline import Baseline, Declared
from rules.engine import Other
from rules.meta import Meta
from rules.unforeseen import unforeseen

_NOT_TYPES = {"baseline", "recent", "days", "seen", "apart", "evidence"}


@cache
def types() -> dict[str, type[Baseline]]:
    """Every type of the folder by its name."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.name not in _NOT_TYPES]
    return {name: importlib.import_module(f"{__name__}.{name}").Type for name in names}


def of(others: Sequence[Other], ids: Mapping[str, str]) -> tuple[list[Baseline], list[HinomiError]]:
    """Baselines of these documents, and what is wrong with the rest."""
    made: list[Baseline] = []
    wrong: list[HinomiError] = []
    for other in others:
        try:
            made.append(_one(other, ids))
        except HinomiError as error:
            wrong.append(error)
        except Exception as error:  # whatever the document holds
            wrong.append(unforeseen(other.path, error))
    return made, wrong


def _one(other: Other, ids: Mapping[str, str]) -> Baseline:
    body = other.document.get("baseline")
    kind = body.get("type") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(kind, str) or kind not in types():
        raise ContentError(
            f"baseline の type は {', '.join(sorted(types()))} のどれかです。",
            f"baseline type must be one of {', '.join(sorted(types()))}",
            where=Where(other.path, None, "baseline.type"),
        )
    named = [str(name) for name in body.get("rules") or []]
    missing = [name for name in named if name not in ids]
    if missing or not named:
        raise ContentError(
            f"参照するルールがありません: {', '.join(missing) or '(なし)'}",
            f"no such rules: {', '.join(missing) or '(none)'}",
            where=Where(other.path, None, "baseline.rules"),
        )
    declared = Declared(
        Meta.of_document(other.document), tuple(ids[name] for name in named), dict(body), other.path
    )
    return types()[kind](declared)
