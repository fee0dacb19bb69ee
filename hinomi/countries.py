"""Countries by name, as Unicode's CLDR has them in both languages (Babel)."""

from functools import lru_cache

from hinomi.words import Words


def country(code: str) -> Words:
    """The names for a two-letter code of ISO 3166-1; the code itself where it is none."""
    return _country(code.upper()) if len(code) == 2 else Words(code, code)


@lru_cache(maxsize=1000)
def _country(code: str) -> Words:
    return Words(*(_named(code, language) for language in ("ja", "en")))


def _named(code: str, language: str) -> str:
    from babel import Locale  # commands that name no country start without it

    return str(Locale(language).territories.get(code, code))
