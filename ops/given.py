"""What people give a command: targets as `field=value`, several times over, and whose something is."""

from collections.abc import Collection, Sequence

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


def organization(said: str, known: Collection[str]) -> str:
    """Whose something is, as it was said; empty: nobody's in particular. Raises InputError for one that is not configured."""
    if said and said not in known:
        names = ", ".join(known) or "-"
        raise InputError(
            f"組織「{said}」は設定にありません。あるもの: {names}",
            f'there is no organization "{said}" in the configuration; there are: {names}',
        )
    return said
