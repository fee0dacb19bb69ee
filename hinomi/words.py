"""A text in Japanese with its English beside it."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """One text, two languages."""

    ja: str
    en: str

    def of(self, language: Language) -> str:
        """The text in the language asked for."""
        return self.ja if language == "ja" else self.en


def words(value: object, fallback: str = "") -> Words:
    """Words from a mapping {ja, en}, a plain string (used for both) or nothing."""
    if isinstance(value, dict):
        ja, en = value.get("ja"), value.get("en")
        return Words(ja=str(ja or en or fallback), en=str(en or ja or fallback))
    text = str(value) if value is not None else fallback
    return Words(ja=text, en=text)
