"""Declared mappings: what they can say, and what a mistake in one is told as."""

from pathlib import Path
from typing import Any

import pytest

from collectors import catalogue, declared
from collectors.declaration import Declaration, Target
from collectors.source import ROW, Parsed, Source
from hinomi.errors import ContentError, HinomiError, ManyErrors
from tests.collectors import content

HEAD = """\
source: city.library
title: {ja: 図書館, en: Library}
"""
CSV = f"""{HEAD}format: csv
columns: [日時, 利用者, 操作, 冊数, 結果]
fields:
  日時: {{to: "@timestamp"}}
  利用者: user.name
  操作: event.action
  冊数: {{to: city.library.books, type: integer}}
  結果: {{to: event.outcome, values: {{正常: success}}, otherwise: failure}}
"""


def _load(folder: Path, text: str) -> Source:
    path = folder / "library.source.yml"
    path.write_text(text, encoding="utf-8")
    return declared.load(path)


def _parse(folder: Path, text: str, *lines: str) -> Parsed:
    return _load(folder, text).parse(content.intake(*lines))


def _event(folder: Path, text: str, line: str) -> dict[str, Any]:
    parsed = _parse(folder, text, line)
    assert not parsed.rejected.height, parsed.rejected["reason"].to_list()
    return content.flat(parsed.frames[0].drop(ROW))


def test_csv(tmp_path: Path) -> None:
    """Columns become fields; a value map's `otherwise` takes what the map does not name."""
    event = _event(tmp_path, CSV, "2026/11/20 9時1分,s.suzuki,貸出,3,遅延")
    assert event["user.name"] == "s.suzuki"
    assert event["city.library.books"] == "3"
    assert event["event.outcome"] == "failure"
    assert event["@timestamp"].isoformat() == "2026-11-20T00:01:00+00:00"


def test_an_offset_in_another_column_belongs_to_the_time(tmp_path: Path) -> None:
    """Without one in the line the time is local, as ever."""
    text = f"""{HEAD}format: key_value
fields:
  time: {{to: "@timestamp", type: time, formats: ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S"], offset: tz}}
"""
    event = _event(tmp_path, text, 'time="2026-11-20 12:00:00" tz=+0200')
    assert event["@timestamp"].isoformat() == "2026-11-20T10:00:00+00:00"
    event = _event(tmp_path, text, 'time="2026-11-20 12:00:00" user=x')
    assert event["@timestamp"].isoformat() == "2026-11-20T03:00:00+00:00"


def test_a_target_is_for_some_records_only(tmp_path: Path) -> None:
    """`where` names another column and its values: a name means a machine here and a person there, and is never taken for
    the other; where the column is missing it is neither."""
    text = f"""{HEAD}format: json
untimed: true
fields:
  name:
    - {{to: host.name, where: {{kind: [pc, server]}}}}
    - {{to: user.name, where: {{kind: [person]}}}}
    - city.library.name
"""
    pc, person, none = (
        _event(tmp_path, text, line)
        for line in ('{"kind":"pc","name":"a"}', '{"kind":"person","name":"b"}', '{"name":"c"}')
    )
    assert (pc["host.name"], pc.get("user.name")) == ("a", None)
    assert (person["user.name"], person.get("host.name")) == ("b", None)
    assert none["city.library.name"] == "c" and "host.name" not in none and "user.name" not in none


def test_a_condition_on_a_column_that_is_none_is_said(tmp_path: Path) -> None:
    """Of a table, whose columns are known, the error names the column and the line."""
    wrong = CSV.replace("利用者: user.name", "利用者: {to: user.name, where: {種別: [職員]}}")
    with pytest.raises(ContentError, match="種別"):
        _load(tmp_path, wrong)


def test_a_group_is_taken_of_each_value_of_a_list(tmp_path: Path) -> None:
    """Of a list of JSON objects the member that the group names, of all of them."""
    text = f"""{HEAD}format: json
untimed: true
fields:
  cards: {{to: host.ip, extract: '"ip":"([^"]+)"'}}
"""
    event = _event(tmp_path, text, '{"cards":[{"ip":"10.1.1.1"},{"name":"x"},{"ip":"10.1.1.2"}]}')
    assert event["host.ip"] == ["10.1.1.1", "10.1.1.2"]


def test_the_first_object_of_a_list_is_not_mixed_with_the_next(tmp_path: Path) -> None:
    """What it does not have itself stays empty, also where the next one, or an object inside it, has a value of that name."""
    text = f"""{HEAD}format: json
untimed: true
fields:
  events:
    - {{to: process.name, first: image}}
    - {{to: process.pid, first: pid}}
    - {{to: source.ip, first: ip}}
    - {{to: file.hash.sha1, first: sum, extract: '^([0-9a-f]{{40}})$'}}
"""
    first = '{"in":{"ip":"10.1.1.9"},"image":"a\\"b.exe","pid":7,"sum":"none"}'
    event = _event(
        tmp_path, text, f'{{"events":[{first},{{"image":"c.exe","ip":"10.1.1.2","sum":"{"0" * 40}"}}]}}'
    )
    assert (event["process.name"], event["process.pid"]) == ('a"b.exe', 7)
    assert not {"source.ip", "file.hash.sha1"} & event.keys()


def test_wrong_columns_are_rejected_with_the_columns_named(tmp_path: Path) -> None:
    """A file of another release is not read into the wrong fields: each line says what was expected."""
    parsed = _parse(
        tmp_path,
        CSV,
        "日時,利用者,操作,冊数,結果",
        "利用者,日時,操作,冊数,結果",
        "2026/11/20 9時1分,s.suzuki,貸出",
        "s.suzuki,2026/11/20 9時1分,貸出,3,正常",
    )
    assert parsed.rejected["reason"].to_list() == [
        "header_line",
        "other_header: expected 日時,利用者,操作,冊数,結果",
        "wrong_columns: expected 5 (日時,利用者,操作,冊数,結果), got 3",
        "no_time: 日時",
    ]
    assert sorted(content.rows_of(parsed)) == [0, 1, 2, 3]


def test_tabs_and_no_header(tmp_path: Path) -> None:
    """Another delimiter; a file without a header line."""
    text = CSV.replace("format: csv", 'format: csv\ndelimiter: "\\t"\nheader: false')
    assert _event(tmp_path, text, "2026/11/20 9:01\ts.suzuki\t貸出\t3\t正常")["event.outcome"] == "success"


def test_a_column_with_several_targets(tmp_path: Path) -> None:
    """One column may say the action, the category and, by a pattern, a part of itself."""
    text = CSV.replace(
        "操作: event.action",
        "操作: [event.action, {to: event.category, values: {貸出: [web, session]}}, "
        "{to: event.code, extract: '(\\d+)$'}]",
    )
    event = _event(tmp_path, text, "2026/11/20 9:01,s.suzuki,貸出,3,正常")
    assert event["event.category"] == ["web", "session"]
    assert "event.code" not in event
    assert _event(tmp_path, text, "2026/11/20 9:01,s.suzuki,操作17,3,正常")["event.code"] == "17"


def test_json_by_path(tmp_path: Path) -> None:
    """Dotted paths reach into objects; lists fill ECS arrays; what is not named stays under the source."""
    text = f"""{HEAD}format: json
fields:
  at: {{to: "@timestamp", formats: [epoch_ms]}}
  who.account: user.name
  who.groups: host.ip
  ok: {{to: event.outcome, values: {{"true": success, "false": failure}}}}
  tags: {{to: tags, split: ","}}
"""
    line = (
        '{"at": 1795112045000, "who": {"account": "a", "groups": ["192.0.2.1", "192.0.2.2"], "n": [1, 2]},'
        ' "ok": true, "tags": "x, y"}'
    )
    event = _event(tmp_path, text, line)
    assert event["host.ip"] == ["192.0.2.1", "192.0.2.2"]
    assert event["event.outcome"] == "success"
    assert event["tags"] == ["x", "y"]
    assert event["city.library.who.n"] == "[1,2]"


def test_key_value_and_cef(tmp_path: Path) -> None:
    """The same fields from the two formats of appliances."""
    fields = "fields: {src: {to: source.ip, type: ip}, act: {to: event.action, type: lower}}\n"
    pairs = _event(tmp_path, f"{HEAD}format: key_value\n{fields}", "<13>src=192.0.2.7 act=DENY n=1")
    cef = _event(tmp_path, f"{HEAD}format: cef\n{fields}", "CEF:0|A|B|1|7|n|5|src=192.0.2.7 act=DENY")
    assert [(event["source.ip"], event["event.action"]) for event in (pairs, cef)] == [
        ("192.0.2.7", "deny")
    ] * 2
    assert pairs["city.library.n"] == "1"


def test_a_column_named_like_the_intake(tmp_path: Path) -> None:
    """A product whose columns are called `message` and `row` loses nothing."""
    text = f"""{HEAD}format: csv
columns: [row, message, received]
fields: {{row: event.code, message: event.reason}}
"""
    event = _event(tmp_path, text, "7,hello,x")
    assert (event["event.code"], event["event.reason"]) == ("7", "hello")


def test_a_citys_own_folder_adds_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file dropped into a folder is a source like those that ship."""
    own = catalogue.sources().copy()
    monkeypatch.setattr(catalogue, "sources", lambda: own)
    (tmp_path / "library.source.yml").write_text(CSV, encoding="utf-8")
    assert [source.name for source in catalogue.add(tmp_path)] == ["city.library"]
    assert catalogue.find("city.library").title["ja"] == "図書館"


MISTAKES = [
    (CSV.replace("format: csv", "format: excel"), 3, "format", "excel"),
    (CSV.replace("format: csv", "format: csv\nzonehint: dmz"), 4, "zonehint", "zone_hint"),
    (CSV.replace("type: integer", "type: int"), 9, "fields.冊数.type", "integer"),
    (CSV.replace("type: integer", "typ: integer"), 9, "fields.冊数.typ", "type"),
    (CSV.replace("user.name", "user.nmae"), 7, "fields.利用者", "user.name"),
    (CSV.replace("冊数: {to", "部数: {to"), 9, "fields.部数", "冊数"),
    (CSV.replace("正常: success", "正常: good"), 10, "fields.結果", "success"),
    (
        CSV.replace('to: "@timestamp"', 'to: "@timestamp", formats: [yyyy/MM/dd]'),
        6,
        "fields.日時.formats.0",
        "strptime",
    ),
    (CSV.replace("format: csv", "format: csv\ntimezone: Asia/Tokio"), 4, "timezone", "Asia/Tokyo"),
    (CSV.replace("format: csv", "format: csv\nrecognise: '(x'"), 4, "recognise", "x"),
    (CSV.replace("format: csv", "format: csv\nencoding: latin9"), 4, "encoding", "cp932"),
    (
        CSV.replace("format: csv", "format: csv\nconstants: {event.kind: thing}"),
        4,
        "constants.event.kind",
        "alert",
    ),
    (CSV.replace("format: csv", "format: csv\nrequired: [番号]"), 4, "required.0", "日時"),
    (CSV.replace("source: city.library", "source: 図書館"), 1, "source", "図書館"),
    (CSV.replace("format: csv", "format: json"), 4, "columns", "columns"),
    (CSV.replace("columns: [日時, 利用者, 操作, 冊数, 結果]\n", ""), 1, "columns", "列名の一覧"),
    (CSV.replace("format: csv\n", "format: csv\nformat: csv\n"), 4, "format", "format"),
]


@pytest.mark.parametrize(("text", "line", "key", "names"), MISTAKES)
def test_a_mistake_is_told_with_file_line_key_and_what_was_expected(
    tmp_path: Path, text: str, line: int | None, key: str | None, names: str
) -> None:
    """Whoever wrote the file finds the place and the valid choice in the message, in both languages."""
    with pytest.raises(HinomiError) as caught:
        _load(tmp_path, text)
    error = caught.value
    shown = str(error)
    assert "library.source.yml" in shown
    assert names in shown
    assert error.where is not None and (error.where.line, error.where.key) == (line, key)
    assert any(ord(letter) > 0x3000 for letter in error.ja) and error.en.isprintable()


def test_all_mistakes_of_a_file_come_at_once(tmp_path: Path) -> None:
    """Three mistakes need one reading, not three."""
    text = CSV.replace("type: integer", "type: int").replace("format: csv", "format: csv\nquote: ab\nfoo: 1")
    with pytest.raises(ManyErrors) as caught:
        _load(tmp_path, text)
    assert len(caught.value.errors) == 3
    assert all(isinstance(error, ContentError) for error in caught.value.errors)


@pytest.mark.parametrize("text", ["", "- a\n", "source: [", "a: &b [*b]\n", "\tsource: x"])
def test_no_mapping_at_all(tmp_path: Path, text: str) -> None:
    """An empty file, a list, a bomb: one clear error, no stack trace."""
    with pytest.raises(HinomiError):
        _load(tmp_path, text)


def test_the_documents_example_is_right(tmp_path: Path) -> None:
    """Whoever copies the example from docs/sources.md has a working source, and each key has its row."""
    text = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    example = next(part for part in text.split("```yaml\n") if part.startswith("source:")).split("```")[0]
    event = _event(tmp_path, example, "令和8年11月20日 9時1分,s.suzuki,192.0.2.7,貸出,3冊,正常")
    assert (event["event.category"], event["city.library.books"]) == (["web"], "3")
    table = text.split("| キー / key")[1].split("\n\n")[0]
    for key in [*Declaration.model_fields, *Target.model_fields]:
        assert f"`{key}`" in table, key


@pytest.mark.parametrize(
    ("delimiter", "line", "first"),
    [
        (" ", "2026-11-20T03:14:05Z fw01 ALLOW 192.0.2.1", "2026-11-20T03:14:05Z"),
        (
            " ",
            "<13>2026-11-20T03:14:05Z relay01 2026-11-20T03:14:05Z fw01 ALLOW 192.0.2.1",
            "2026-11-20T03:14:05Z",
        ),
        (",", "Nov 20 03:14:05 2026 JST,fw01,ALLOW,192.0.2.1", "Nov 20 03:14:05 2026 JST"),
        (",", "<13>Nov 20 03:14:05 relay01 x,fw01,ALLOW,192.0.2.1", "x"),
        (",", "2026-11-20T03:14:05Z relay01 x,fw01,ALLOW,192.0.2.1", "x"),
    ],
)
def test_what_a_line_begins_with_is_a_header_only_where_its_columns_are_whole_without_it(
    tmp_path: Path, delimiter: str, line: str, first: str
) -> None:
    """A city's own time and host in front are columns; a relay's are none."""
    text = f"""{HEAD}format: csv
delimiter: "{delimiter}"
columns: [first, host, action, ip]
fields:
  first: city.library.first
  host: host.name
  action: event.action
  ip: source.ip
"""
    event = _event(tmp_path, text, line)
    assert (event["city.library.first"], event["source.ip"]) == (first, "192.0.2.1")
