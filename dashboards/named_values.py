"""What people call the value of a field: segments, levels and countries by name, everything else as the log has it."""

from dashboards.texts import Texts
from hinomi.countries import country


def named(field: str, value: str, texts: Texts) -> str:
    """The value of this ECS field in the reader's words."""
    if field.endswith(".geo.country_iso_code"):
        return country(value).of(texts.language)
    if field.endswith(".zone"):
        return texts.get("zone", value)
    return texts.get("level", value) if field == "hinomi.signal.level" else value
