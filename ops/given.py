"""What people give a command as `field=value`, several times over."""

from collections.abc import Sequence

from hinomi.errors import InputError


def targets(said: Sequence[str]) -> dict[str, list[str]]:
    """`user.name=t.yamada` as field and values. Raises InputError for what is not of this form."""
    found: dict[str, list[str]] = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise InputError(
                f"「{one}」は、項目=値(例: user.name=t.yamada)の形で書いてください。",
                f'"{one}" must read FIELD=VALUE, as in user.name=t.yamada',
            )
        found.setdefault(name, []).append(value)
    return found
