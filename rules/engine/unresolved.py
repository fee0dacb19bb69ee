"""A placeholder (`|expand`) that nobody gave values: why its rule cannot run, and which one it is."""

import re

from hinomi.words import Words

_SAID = re.compile(r"placeholder %(.*)% has no value")


def reason(name: str) -> Words:
    """Why a rule with this placeholder cannot run."""
    return Words(
        f"プレースホルダー %{name}% の値が設定されていません。", f"placeholder %{name}% has no value"
    )


def name_in(why: Words) -> str | None:
    """The placeholder of such a `reason`; None for any other."""
    found = _SAID.fullmatch(why.en)
    return found[1] if found else None
