"""What a rule file raised that nobody foresaw, as something to say: the other rules go on."""

from pathlib import Path

from hinomi.errors import ContentError, Where


def unforeseen(path: Path, error: Exception, key: str | None = None) -> ContentError:
    """A problem of that file. key: where in it, as far as is known."""
    return ContentError(
        f"ルールの形が仕様に合わないので、動かせません({type(error).__name__}: {error})。",
        f"the rule is not shaped as it should be and cannot run ({type(error).__name__}: {error})",
        where=Where(path, None, key),
    )
