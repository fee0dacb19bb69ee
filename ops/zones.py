"""The zone of times that name none, as a person sets it."""

from collectors import times
from hinomi.errors import ConfigError, Where


def use(name: str, key: str = "--timezone") -> None:
    """Read such times in this zone. Raises ConfigError for a zone that there is not."""
    try:
        times.use(name)
    except ValueError as error:
        ja, _, en = str(error).partition("|")
        raise ConfigError(ja, en, where=Where(None, None, key)) from error
