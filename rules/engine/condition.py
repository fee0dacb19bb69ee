"""A rule's condition read: `sel and not 1 of filter_*` as pySigma's tree, in which every search is named.

Read here because pySigma takes `notepad` for `not epad`, knows names of ASCII letters only and says what is wrong in terms of its
parser. The tree is pySigma's, so that its searches, changed by pipelines, stand in it.

    any  := all ("or" all)*        all := one ("and" one)*        one := "not" one | "(" any ")" | selector | name
    selector := ("1" | "any" | "all") "of" ("them" | pattern)
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sigma import conditions

from hinomi.errors import ContentError, Where

Tree = conditions.ConditionItem

_WORDS = re.compile(r"[()]|[^\s()]+")
_DEEPEST = 100
_QUANTIFIERS = {"1": conditions.ConditionOR, "any": conditions.ConditionOR, "all": conditions.ConditionAND}
_ENDS = "条件の終わり"


class Nothing(conditions.ConditionItem):
    """`1 of` a pattern that names no search: never true. (pySigma would drop it, and so make it true.)"""

    arg_count = 0


def read(text: object, names: Sequence[str]) -> Tree:
    """The tree of a condition over searches of these names. Raises ContentError that says what may stand where."""
    try:
        return _read(text, names)
    except ContentError as error:
        error.where = Where(key="condition")
        raise


def tree(said: conditions.SigmaCondition) -> Any:
    """One of a rule's conditions as pySigma's tree of values (None: nothing), its searches as pipelines left them."""
    names = list(said.detections.detections)
    return read(said.condition, names).postprocess(said.detections, source=said.source)


def _read(text: object, names: Sequence[str]) -> Tree:
    if not isinstance(text, str) or not text.strip():
        raise ContentError(
            "条件(condition)が空です。検索の名を書いてください(例: selection and not filter)。",
            "the condition is empty; write names of searches, such as `selection and not filter`",
        )
    if "|" in text:
        raise ContentError(
            "条件の「|」(集計)は廃止されました。回数や種類数は相関(correlation)として別の文書に書いてください。",
            "the pipe syntax has been replaced by Sigma correlations; write a correlation in a document of its own",
        )
    return _Reading(_WORDS.findall(text), names).whole()


@dataclass(slots=True)
class _Reading:
    words: list[str]
    names: Sequence[str]
    at: int = 0

    def whole(self) -> Tree:
        tree = self._any(0)
        if self.at < len(self.words):
            raise self._unexpected("and、or", "`and` or `or`")
        return tree

    def _any(self, depth: int) -> Tree:
        args = [self._all(depth)]
        while self._take("or"):
            args.append(self._all(depth))
        return args[0] if len(args) == 1 else conditions.ConditionOR([*args])

    def _all(self, depth: int) -> Tree:
        args = [self._one(depth)]
        while self._take("and"):
            args.append(self._one(depth))
        return args[0] if len(args) == 1 else conditions.ConditionAND([*args])

    def _one(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise ContentError("条件の入れ子が深すぎます。", "the condition is nested too deeply")
        if self._next() in ("", ")"):
            raise self._unexpected("検索の名", "the name of a search")
        if self._take("not"):
            return conditions.ConditionNOT([self._one(depth + 1)])
        if self._take("("):
            tree = self._any(depth + 1)
            if not self._take(")"):
                raise self._unexpected("「)」", "`)`")
            return tree
        return self._named()

    def _named(self) -> Tree:
        word, after = self._next(), self._next(1)
        self.at += 1
        if after == "of" and word in _QUANTIFIERS:
            self.at += 1
            return self._selected(word)
        if word in self.names:
            return conditions.ConditionIdentifier([word])
        raise self._unknown(word, after)

    def _selected(self, quantifier: str) -> Tree:
        wanted = self._next()
        if wanted in ("", "(", ")"):
            raise self._unexpected("them か selection_* のような名", "`them` or a name such as `selection_*`")
        self.at += 1
        found = [conditions.ConditionIdentifier([name]) for name in matching(wanted, self.names)]
        if found:
            return _QUANTIFIERS[quantifier]([*found])
        if quantifier == "all":
            raise ContentError(
                f"条件の「all of {wanted}」に当たる検索がありません。",
                f'"all of {wanted}" in the condition names no search',
            )
        return Nothing([])

    def _next(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def _take(self, word: str) -> bool:
        if self._next() != word:
            return False
        self.at += 1
        return True

    def _unexpected(self, ja: str, en: str) -> ContentError:
        found = self._next()
        here = (f"「{found}」", f'"{found}"') if found else (_ENDS, "the end")
        return ContentError(
            f"条件の {self.at + 1} 語目には{ja}が要りますが、{here[0]}があります。",
            f"word {self.at + 1} of the condition is {here[1]} where {en} is needed",
        )

    def _unknown(self, word: str, after: str) -> ContentError:
        if after == "of":
            return ContentError(
                f"「{word} of」はありません。1 of、any of、all of のどれかです。",
                f"there is no `{word} of`: it is `1 of`, `any of` or `all of`",
            )
        near = difflib.get_close_matches(word, self.names, n=3, cutoff=0.6) or list(self.names)[:6]
        return ContentError(
            f"条件の「{word}」という検索はありません。あるのは {'、'.join(near)} です。",
            f'the condition\'s "{word}" is no search; there is {", ".join(near)}',
        )


def matching(wanted: str, names: Sequence[str]) -> list[str]:
    """The names that `them` or a pattern with `*` means; such as begin with `_` only where the pattern does."""
    parts = ["*"] if wanted == "them" else re.split(r"(\*)", wanted)
    fits = re.compile("".join(".*" if part == "*" else re.escape(part) for part in parts)).fullmatch
    return [name for name in names if fits(name) and (wanted.startswith("_") or not name.startswith("_"))]
