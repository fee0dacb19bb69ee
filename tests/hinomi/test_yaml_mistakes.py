"""Mistakes in YAML that people write: the answer names file, line and column, and says in Japanese what to do."""

from pathlib import Path

import pytest

from hinomi import yamlfile
from hinomi.errors import InputError

MISTAKES = {
    "tab": ("listen:\n\tfw: {}\n", "2:1", "字下げにタブがあります"),
    "tab deeper": ("listen:\n  fw:\n    kind: tcp\n\tport: 1\n", "4:1", "字下げにタブがあります"),
    "tab behind a blank": ("a: 1\n \tb: 2\n", "2:2", "字下げにタブがあります"),
    "full-width blank": ("a:\n\u3000\u3000b: 1\n", "2:1", "字下げに全角の空白があります"),
    "full-width blank under a whole line": ("a: 1\n\u3000b: 2\n", "2:1", "字下げに全角の空白があります"),
    "full-width colon": ("a:\n  b\uff1a1\n  c: 2\n", "2:4", "コロンが全角「\uff1a」です"),
    "no colon": ("listen:\n  fw\n    kind: tcp\n", "2:3", "コロン「:」がありません"),
    "no colon before a value": (
        "a:\n  # what it is\n  kind tcp\n\n  port: 1\n",
        "3:3",
        "コロン「:」がありません",
    ),
    "no colon among keys": ("a: 1\nb\nc: 2\n", "2:1", "コロン「:」がありません"),
    "no blank": ("a:\n  port:1\n  kind: tcp\n", "2:7", "コロン「:」のあとに半角の空白が要ります"),
    "too deep": ("a:\n  b: 1\n   c: 2\n", "3:4", "字下げが前の行と合っていません"),
    "too deep, quoted key": ('a:\n  "b": 1\n   c: 2\n', "3:4", "字下げが前の行と合っていません"),
    "too shallow": ("a:\n  b: 1\n c: 2\n", "3:2", "字下げが前の行と合っていません"),
    "left of the first": ("  a: 1\nb: 2\n", "2:1", "字下げが前の行と合っていません"),
    "item on the key's line": ("a: - x\n", "1:4", "「キー:」と同じ行に「- 」は書けません"),
    "key among items": ("- a\nb: 1\n", "2:1", "「- 」で始まらない行があります"),
    "open quote": ('a: 1\nb: "x\nc: 1\n', "2:4", "引用符が閉じていません"),
    "open quote before a second document": ("a: 'x\n---\nb: 1\n", "1:4", "引用符が閉じていません"),
    "quote within quotes": ("a: 'it's'\n", "1:8", "引用符を閉じたあとに文字が続いています"),
    "backslash": ('a: "C:\\Users"\n', "1:9", "「\\」を含む値は、引用符 ' で囲んで"),
    "unknown escape": ('a: "\\d+"\n', "1:5", "「\\」を含む値は、引用符 ' で囲んで"),
    "half a pair": ('a: "\\ud800"\n', "1:7", "当たる文字がありません"),
    "colon in a value": ("- title: a: b\n", "1:11", "「: 」が二つあります"),
    "open bracket": ("a: 1\nb: [1, 2\nc: 1\n", "2:4", "閉じていないか"),
    "open brace": ("a: {b: 1\nc: 2\n", "1:4", "閉じていないか"),
    "comma too many": ("a: [1, , 2]\n", "1:8", "ここに値がありません"),
    "at sign": ("to: @soc\n", "1:5", "値を「@」で始めることはできません"),
    "wildcard": ("path: *.log\n", "1:8", "値を記号「*」"),
    "alias": ("path: *all\n", "1:7", "別名(*名前)は使えません"),
    "tag": ("a: !x 1\n", "1:4", "「!」"),
    "anchor twice": ("a: &x 1\nb: &x 2\n", "2:4", "2 回書かれています"),
    "directive": ("%FOO\na: 1\n", "1:5", "行頭の「%」は使えません"),
    "list as a key": ("? [a]\n: 1\n", "1:3", "キーが文字ではありません"),
    "merge": ("a:\n  <<: 1\n", "2:7", "「<<」は使えません"),
    "no such day": ("since: 2026-02-30\n", "1:8", "日付・数など"),
    "no such number": ("port: !!int x\n", "1:7", "日付・数など"),
    "control character": ("a: 1\nb: あ\x01\n", "2:5", "U+0001"),
    "key twice": ("a:\n  b: 1\n  b: 2\n", "3:3: a.b", "2 回書かれています(1 回目は 2 行目)"),
    "surrogate": ("a: 1\nb: \ud800\n", "2", "UTF-8 で書けない"),
    "nobody's guess": ("a: !!omap [1]\n", "1:12", "見直してください"),
    "only carriage returns": ("a:\r  b: @x\r", "2:6", "値を「@」で"),
}
_PARSER = (
    "expected",
    "found",
    "mapping values",
    "token",
    "scalar",
    "while scanning",
    "constructor",
    "could not",
)
"""Words of the parser's own sentences."""


@pytest.mark.parametrize(("text", "place", "ja"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_by_place_and_remedy(text: str, place: str, ja: str) -> None:
    """File, line and column first, then what is wrong in Japanese, then the same in plain English."""
    with pytest.raises(InputError) as caught:
        yamlfile.parse(text, Path("hinomi.yaml"))
    first, second = str(caught.value).split("\n")
    assert first.startswith(f"hinomi.yaml:{place}: ") and ja in first
    assert second.startswith("(") and second.endswith(")")
    assert not [word for word in _PARSER if word in f"{first} {second}"]


@pytest.mark.parametrize(
    "text", ["a: " + ":" * 400_000 + "\n b: 1: 2\n", " " * 400_000 + "a:: b\n  c: d: e\n"]
)
def test_a_hostile_line_costs_no_time(text: str) -> None:
    """Looking for what is wrong takes time by the length of the text, not by its square."""
    with pytest.raises(InputError, match="YAML として読めません"):
        yamlfile.parse(text, "x")
