"""Countries by name."""

from hinomi.countries import country
from hinomi.words import Words


def test_a_country_goes_by_its_name_in_both_languages() -> None:
    """A code of ISO 3166-1, however it is spelled; what is none stays as it is."""
    assert country("RO") == country("ro") == Words("ルーマニア", "Romania")
    assert [country(one).ja for one in ("203.0.113.9", "?", "Q!", "")] == ["203.0.113.9", "?", "Q!", ""]
