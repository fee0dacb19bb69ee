"""Every text of the console and the reports, in both languages, from one catalogue file (`texts.yaml`); grades, levels and
verdicts are called as messages and timelines call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hinomi import yamlfile
from hinomi.alert import Level
from hinomi.errors import ContentError, Where
from hinomi.incident import GRADES, Verdict
from hinomi.words import Language, Words

FILE = Path(__file__).with_name("texts.yaml")


@cache
def catalogue() -> Mapping[str, Words]:
    """Key → words. Raises ContentError where a text lacks one of the languages."""
    document = yamlfile.read(FILE)
    table = {f"grade.g{number}": words for number, words in enumerate(GRADES)}
    table |= {f"level.{one.value}": one.words for one in Level}
    table |= {f"verdict.{one.value}": one.words for one in Verdict}
    for group, texts in document.value.items():
        for name, text in texts.items():
            key = f"{group}.{name}"
            if not isinstance(text, dict) or set(text) != {"ja", "en"}:
                raise ContentError(
                    "ja と en の両方が必要です。", "both ja and en are needed", where=Where(FILE, None, key)
                )
            table[key] = Words(str(text["ja"]), str(text["en"]))
    return table


@dataclass(frozen=True, slots=True)
class Texts:
    """The catalogue in one language. `texts("queue.title")`, values filled in by name."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The text of the key. Raises KeyError for an unknown key: a fault of ours, found by tests."""
        text = catalogue()[key].of(self.language)
        return text.format_map(values) if values else text

    def get(self, group: str, name: str) -> str:
        """The text of a word that comes from data (a status, a zone); the word itself if it has none."""
        held = catalogue().get(f"{group}.{name}")
        return held.of(self.language) if held else name

    def of(self, ja: str, en: str) -> str:
        """The one of two given texts that fits; the other one where it is empty."""
        first, second = (ja, en) if self.language == "ja" else (en, ja)
        return first or second
