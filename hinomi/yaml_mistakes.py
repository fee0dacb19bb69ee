"""What is wrong in a YAML text that cannot be read, where, and what to do about it, in the user's words.

The parser (libyaml) says what it expected at the place where it could go no further. What was mistaken often stands on the line
before: the key whose colon is missing, the quote that was never closed. The parser's sentences are those that libyaml 0.2.5 gave
for the texts of tests/hinomi/test_yaml_mistakes.py.
"""

import re
from dataclasses import dataclass

import yaml

from hinomi.words import Words

_BLANKS = re.compile(r"[ \t\u3000]*")
_KEY = re.compile(r"""(?:"[^"]*"|'[^']*'|[^"'#:][^:]*(?::\S[^:]*)*):(?:\s|$)""")
_WIDE_COLON = re.compile(r"^\s*(?:- )?[^\s:\uff1a\"'#]+\uff1a")
_JOINED = re.compile(r"^\s*(?:- )?[\w.-]+:\S")
_BREAKS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What the parser takes for the end of a line."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """words: what is wrong and what to do; line, column: from 1, None where the text has no such place."""

    words: Words
    line: int | None
    column: int | None


_TAB = Words(
    "字下げにタブがあります。タブを半角の空白に直してください。",
    "the indentation holds a tab; write blanks instead",
)
WIDE_BLANK = Words(
    "字下げに全角の空白があります。半角の空白に直してください。",
    "the indentation holds a full-width blank; write ordinary blanks",
)
_WIDE = Words(
    "コロンが全角「\uff1a」です。半角の「:」と空白を書いてください。",
    'the colon is the full-width one; write ":" and a blank',
)
_NO_BLANK = Words(
    "コロン「:」のあとに半角の空白が要ります。",
    'a blank is needed after the colon ":"',
)
_NO_COLON = Words(
    "キーのあとのコロン「:」がありません。「キー: 値」の形で書いてください。",
    'the colon after the key is missing; write "key: value"',
)
_COLON_IN_VALUE = Words(
    "一つの行に「: 」が二つあります。値に「: 」を含むときは、値全体を引用符 ' で囲んでください。",
    'one line holds ": " twice; a value that holds it must stand in quotes \'',
)
_INDENT = Words(
    "字下げが前の行と合っていません。同じ段のキーや「-」は、行頭の空白の数をそろえてください。",
    'the indentation does not fit the lines before; keys and "-" of one level begin in one column',
)
_DASH = Words(
    "「キー:」と同じ行に「- 」は書けません。次の行に、字下げして書いてください。",
    '"- " cannot stand on the line of "key:"; write it on the next line, indented',
)
_MIXED = Words(
    "「- 」の並びの途中に「- 」で始まらない行があります。字下げを直すか、「- 」を付けてください。",
    'among the items "- " stands a line that does not begin with "- "; mend its indentation or add "- "',
)
_OPEN_QUOTE = Words(
    "引用符が閉じていません。値の終わりに同じ引用符を書いてください。",
    "a quote is never closed; write the same quote where the value ends",
)
_AFTER_QUOTE = Words(
    "引用符を閉じたあとに文字が続いています。値全体を囲み、値の中の ' は '' と 2 つ書いてください。",
    "text follows the closing quote; put the whole value in quotes and write a ' within it twice: ''",
)
_BACKSLASH = Words(
    "引用符 \" の中の「\\」が読めません。「\\」を含む値は、引用符 ' で囲んでください。",
    'a "\\" inside double quotes cannot be read; put a value that holds one in single quotes \'',
)
_NO_SIGN = Words(
    "「\\u」の番号に当たる文字がありません。文字をそのまま書くか、値を引用符 ' で囲んでください。",
    'an invalid Unicode number follows "\\u"; write the character itself, or put the value in single quotes \'',
)
_BRACKET = Words(
    "開いた括弧「[」「{」が閉じていないか、区切りの「,」がありません。",
    'a bracket "[" or "{" is not closed, or a "," is missing',
)
_EMPTY = Words(
    "ここに値がありません。余分な「,」や括弧を消すか、値を書いてください。",
    'a value is missing here; remove the "," or bracket that is too many, or write the value',
)
_SIGN = Words(
    "値を記号「*」「&」「!」「|」「>」で始めることはできません。値全体を引用符 ' で囲んでください。",
    "a value cannot begin with one of * & ! | >; put the whole value in quotes '",
)
_TWICE_NAMED = Words(
    "YAML の目印(&名前)が 2 回書かれています。目印は使わず、値をそのまま書いてください。",
    "a YAML anchor (&name) is written twice; write the value itself instead",
)
_KEY_FORM = Words(
    "キーが文字ではありません(並びや組はキーにできません)。",
    "the key is not a text (a list or a mapping cannot be a key)",
)
_MERGE = Words(
    "「<<」は使えません。内容をそのまま書いてください。",
    '"<<" is not accepted; write out what it stands for',
)
_NO_VALUE = Words(
    "値がその形(日付・数など)として成り立ちません。文字として使うときは引用符 ' で囲んでください。",
    "the value is no such date or number; where it is meant as text, put it in quotes '",
)
_DIRECTIVE = Words(
    "行頭の「%」は使えません。行を消すか、値なら引用符 ' で囲んでください。",
    'a line cannot begin with "%"; remove it, or put a value in quotes \'',
)
_UNKNOWN = Words(
    "この行かその前の行の、字下げ・コロン・引用符・括弧を見直してください。",
    "look at the indentation, colons, quotes and brackets of this line and the one before",
)

_FOUND: tuple[tuple[str, Words], ...] = (
    ("block sequence entries", _DASH),
    ("did not find expected '-' indicator", _MIXED),
    ("did not find expected <document start>", _INDENT),
    ("did not find expected hexdecimal number", _BACKSLASH),
    ("found unknown escape character", _BACKSLASH),
    ("found invalid Unicode character", _NO_SIGN),
    ("did not find expected node content", _EMPTY),
    ("did not find expected alphabetic or numeric character", _SIGN),
    ("did not find expected comment or line break", _SIGN),
    ("found undefined tag handle", _SIGN),
    ("could not determine a constructor", _SIGN),
    ("second occurrence", _TWICE_NAMED),
    ("found unhashable key", _KEY_FORM),
    ("expected a mapping for merging", _MERGE),
    ("expected a mapping or list of mappings for merging", _MERGE),
    ("found unknown directive name", _DIRECTIVE),
    ("failed to decode base64", _NO_VALUE),
    ("no such value", _NO_VALUE),
)
"""How the parser's sentence begins → what it means for who wrote the file."""

_OPENED: tuple[tuple[str, Words], ...] = (
    ("found unexpected end of stream", _OPEN_QUOTE),
    ("found unexpected document indicator", _OPEN_QUOTE),
    ("did not find expected ',' or", _BRACKET),
)
"""The same, of what was begun earlier: that is the place to look at."""


def mistake(error: yaml.YAMLError, text: str) -> Mistake:
    """What the error means in that text."""
    if isinstance(error, yaml.reader.ReaderError):
        return _sign(error, text)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Mistake(_UNKNOWN, None, None)
    lines = _BREAKS.split(text)
    at, problem = error.problem_mark, error.problem or ""
    blanks = _blanks(lines, at.line)
    if "\t" in blanks or problem.startswith("found a tab character"):
        return Mistake(_TAB, at.line + 1, blanks.find("\t") + 1 or at.column + 1)
    if "\u3000" in blanks:
        return Mistake(WIDE_BLANK, at.line + 1, blanks.find("\u3000") + 1)
    begun = error.context_mark
    for said, words in _OPENED:
        if problem.startswith(said) and begun is not None:
            return _at(words, begun)
    if problem.startswith("could not find expected ':'") and begun is not None:
        return _no_key(lines, begun.line)
    if problem.startswith("mapping values are not allowed"):
        return _second_value(lines, at)
    if problem.startswith("did not find expected key"):
        return _at(_INDENT if at.column == len(blanks) else _AFTER_QUOTE, at)
    if problem.startswith("found character that cannot start any token"):
        return _at(_first_sign(lines[at.line][at.column : at.column + 1]), at)
    return _at(next((words for said, words in _FOUND if problem.startswith(said)), _UNKNOWN), at)


def _at(words: Words, mark: yaml.Mark) -> Mistake:
    return Mistake(words, mark.line + 1, mark.column + 1)


def _blanks(lines: list[str], number: int) -> str:
    found = _BLANKS.match(lines[number]) if number < len(lines) else None
    return found.group() if found else ""


def _second_value(lines: list[str], mark: yaml.Mark) -> Mistake:
    """A "key: value" where none may stand: behind another on its line, under a line without a colon, or under a whole one."""
    if _KEY.match(_bare(lines[mark.line][: mark.column])):
        return _at(_COLON_IN_VALUE, mark)
    before = next((n for n in range(mark.line - 1, -1, -1) if _says(lines[n])), None)
    if before is not None and not _KEY.match(_bare(lines[before])):
        return _no_key(lines, before)
    return Mistake(_INDENT, mark.line + 1, len(_blanks(lines, mark.line)) + 1)


def _bare(line: str) -> str:
    return line.strip(" -")


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _no_key(lines: list[str], number: int) -> Mistake:
    """A line that should be "key: value" and has no colon that counts."""
    line = lines[number]
    if _WIDE_COLON.match(line):
        return Mistake(_WIDE, number + 1, line.index("\uff1a") + 1)
    if _JOINED.match(line):
        return Mistake(_NO_BLANK, number + 1, line.index(":") + 1)
    return Mistake(_NO_COLON, number + 1, len(_blanks(lines, number)) + 1)


def _first_sign(sign: str) -> Words:
    return Words(
        f"値を「{sign}」で始めることはできません。値全体を引用符 ' で囲んでください。",
        f"a value cannot begin with {sign}; put the whole value in quotes '",
    )


def _sign(error: yaml.reader.ReaderError, text: str) -> Mistake:
    """A sign that no text file holds. The parser counts bytes of UTF-8."""
    before = text.encode()[: error.position].decode(errors="ignore")
    return Mistake(
        Words(
            f"使えない制御文字(U+{error.character:04X})があります。消してください。",
            f"holds the control character U+{error.character:04X}; remove it",
        ),
        before.count("\n") + 1,
        len(before) - before.rfind("\n"),
    )
