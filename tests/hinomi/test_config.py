"""Configuration errors name file, line and key in the user's words; secrets are never shown."""

from pathlib import Path

import pytest
from pydantic import Field

from hinomi.config import Section, load
from hinomi.errors import ConfigError, HinomiError, InputError, ManyErrors
from hinomi.secret import Secret


class Port(Section):
    port: int = Field(ge=1, le=65535)
    token: Secret | None = None


class Settings(Section):
    sources: dict[str, Port] = Field(default_factory=dict)
    names: list[str] = Field(default_factory=list)


def write(folder: Path, text: str, name: str = "hinomi.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_values_and_drop_ins_merge(tmp_path: Path) -> None:
    """Files in hinomi.d are merged key by key in name order."""
    path = write(tmp_path, "sources: {a: {port: 1}, b: {port: 2}}\nnames: [x]\n")
    write(tmp_path, "sources: {b: {port: 3}}\nnames: [y]\n", "hinomi.d/10.yaml")
    settings = load(path, Settings)
    assert {name: port.port for name, port in settings.sources.items()} == {"a": 1, "b": 3}
    assert settings.names == ["y"]


@pytest.mark.parametrize(
    ("text", "place", "ja"),
    [
        (
            "sources:\n  fw:\n    port: 5140a\n",
            "hinomi.yaml:3: sources.fw.port",
            "「5140a」は整数ではありません",
        ),
        ("sources:\n  fw:\n    port: 70000\n", "hinomi.yaml:3: sources.fw.port", "65535 以下"),
        ("sources:\n  fw: {}\n", "hinomi.yaml:2: sources.fw.port", "必要な項目がありません"),
        (
            "sources:\n  fw:\n    port: 1\n    prot: tcp\n",
            "hinomi.yaml:4: sources.fw.prot",
            "「port」のことですか",
        ),
        ("sources:\n  fw: {port: 1, token: hunter2}\n", "hinomi.yaml:2: sources.fw.token", "env:名前"),
        ("soruces: {}\n", "hinomi.yaml:1: soruces", "「sources」のことですか"),
        ("- a\n", "hinomi.yaml:1", "「キー: 値」の形"),
        ("a: [1\n", "hinomi.yaml:1:4", "YAML として読めません"),
        ("sources: {}\nsources: {}\n", "hinomi.yaml:2:1: sources", "2 回書かれています"),
        ("a: &x [1]\nb: *x\n", "hinomi.yaml:2", "別名"),
        ("a: " + "[" * 60 + "]" * 60 + "\n", "hinomi.yaml:1", "入れ子が深すぎます"),
        ("a: !!python/object/apply:os.system ['true']\n", "hinomi.yaml", "YAML として読めません"),
    ],
)
def test_errors_name_file_line_key_and_expectation(tmp_path: Path, text: str, place: str, ja: str) -> None:
    """Each kind of mistake is told where it stands and what was expected, Japanese first."""
    path = write(tmp_path, text)
    with pytest.raises(HinomiError) as caught:
        load(path, Settings)
    first, second = str(caught.value).splitlines()[:2]
    assert f"{tmp_path}/{place}" in first and ja in first
    assert second.startswith("(") and second.isascii() is not None
    assert "hunter2" not in str(caught.value) or ja != "env:名前"


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    """Two mistakes in two files are both named with their own file."""
    path = write(tmp_path, "sources:\n  a: {port: 0}\n")
    write(tmp_path, "sources:\n  b: {port: x}\n", "hinomi.d/b.yaml")
    with pytest.raises(ManyErrors) as caught:
        load(path, Settings)
    text = str(caught.value)
    assert "hinomi.yaml:2: sources.a.port" in text and "b.yaml:2: sources.b.port" in text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, binary and huge files get a sentence."""
    with pytest.raises(InputError, match="ファイルを読めません"):
        load(tmp_path / "none.yaml", Settings)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load(tmp_path / "b.yaml", Settings)
    (tmp_path / "big.yaml").write_bytes(b"#" * (6 * 1024 * 1024))
    with pytest.raises(InputError, match="5 MiB"):
        load(tmp_path / "big.yaml", Settings)


def test_secrets_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is read from its place at the moment of use and shows only its reference."""
    monkeypatch.setenv("HINOMI_T", "from env")
    write(tmp_path, "from file\n", "token")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("env:HINOMI_T").reveal() == "from env"
    assert Secret(f"file:{tmp_path}/token").reveal() == "from file"
    assert Secret("credential:token").reveal() == "from file"
    settings = load(write(tmp_path, "sources: {a: {port: 1, token: 'env:HINOMI_T'}}\n"), Settings)
    assert "from env" not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()
    monkeypatch.delenv("HINOMI_T")
    with pytest.raises(InputError, match=r"env:HINOMI_T.*この環境変数がありません"):
        Secret("env:HINOMI_T").reveal()
    with pytest.raises(InputError, match=r"gone.*見つかりません"):
        Secret(f"file:{tmp_path}/gone").reveal()


def test_one_of_several_kinds_of_listener(tmp_path: Path) -> None:
    """An unknown kind names the known ones; an unknown key of a kind names the keys of that kind alone."""
    from ops.settings import read_settings

    path = tmp_path / "hinomi.yaml"
    path.write_text("listen:\n  fw: {kind: tpc}\n")
    with pytest.raises(ConfigError, match="transfer のどれか"):
        read_settings(path)
    path.write_text("listen:\n  lgwan: {kind: transfer, path: /x, keys: [/k], senderz: {}}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert "listen.lgwan.senderz" in str(caught.value) and "「senders」のことですか" in str(caught.value)
    assert "max_connections" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "place", "ja"),
    [
        (
            "kind: okta_system_log\n    url: https://x\n    tokn: env:X",
            "5: pull.a.tokn",
            "「token」のことですか",
        ),
        ("kind: okta_system_log\n    url: https://x", "2: pull.a.token", "必要な項目がありません"),
        ("kind: okta_system_log\n    url: x\n    token: env:X", "4: pull.a.url", "https:// か"),
        (
            "kind: okta_system_log\n    url: https://x\n    token: env:X\n    every: 1",
            "6: pull.a.every",
            "以上",
        ),
        ("kind: github_audit\n    token: env:X\n    organization: a/b", "5: pull.a.organization", "書き方"),
        ("kind: boks", "3: pull.a.kind", "box_events"),
        ("url: https://x", "2: pull.a.kind", "kind を書いてください"),
    ],
)
def test_pull_errors_name_file_line_and_field(tmp_path: Path, entry: str, place: str, ja: str) -> None:
    """The line is that of the field itself, and the field is called as the user wrote it."""
    _said_of(tmp_path, f"pull:\n  a:\n    {entry}\n", place, ja)


@pytest.mark.parametrize(
    "before", ["pull:\n  a:", "listen:\n  a:", "respond:\n  notify:\n    channels:\n      a:"]
)
def test_an_entry_that_is_no_mapping(tmp_path: Path, before: str) -> None:
    """Wherever a `kind:` chooses the model, also a bare value is answered in the user's words."""
    key = ".".join(part.strip() for part in before.replace("\n", "").split(":") if part.strip())
    _said_of(
        tmp_path, f"{before} 5\n", f"{before.count(chr(10)) + 1}: {key}", "「キー: 値」の形ではありません"
    )


def test_channels_and_targets_name_file_line_and_field(tmp_path: Path) -> None:
    """Where messages go and what is acted on are told apart by `kind:` too."""
    text = "respond:\n  notify:\n    channels:\n      m:\n        kind: smtp\n        hots: mail\n"
    _said_of(tmp_path, text, "6: respond.notify.channels.m.hots", "「host」のことですか")


@pytest.mark.parametrize(
    ("text", "place", "ja"),
    [
        ("workers: 1\ntimezone: Asia/Tokio\n", "2: timezone", "時間帯「Asia/Tokio」はありません"),
        (
            "listen:\n  a: {kind: tcp, port: 5514}\n  b: {kind: relp, address: 127.0.0.1, port: 5514}\n",
            "3: listen.b.port",
            "ポート 5514 は listen.a も使います",
        ),
        (
            "listen:\n  web: {kind: tcp, port: 8470}\nconsole: {port: 8470}\n",
            "3: console.port",
            "listen.web も使います",
        ),
    ],
)
def test_what_could_never_start_is_told_before_anything_starts(
    tmp_path: Path, text: str, place: str, ja: str
) -> None:
    """A zone that there is not, a port that two parts want: processes would start, fail and start again for ever."""
    _said_of(tmp_path, text, place, ja)


def test_ports_that_may_be_the_same(tmp_path: Path) -> None:
    """TCP and UDP, two addresses, ports of chance."""
    from ops.settings import read_settings

    text = (
        "listen:\n  a: {kind: tcp, port: 5514}\n  b: {kind: udp, port: 5514}\n"
        "  c: {kind: tcp, address: 127.0.0.1, port: 6514}\n  d: {kind: tcp, address: 127.0.0.2, port: 6514}\n"
        "  e: {kind: tcp}\n  f: {kind: tcp}\nmetrics: {port: 0}\n"
    )
    assert len(read_settings(write(tmp_path, text)).listen) == 6


def _said_of(folder: Path, text: str, place: str, ja: str) -> None:
    from ops.settings import read_settings

    path = write(folder, text)
    with pytest.raises(HinomiError) as caught:
        read_settings(path)
    told = str(caught.value)
    line = next((line for line in told.splitlines() if line.startswith(f"{path}:{place}: ")), "")
    assert ja in line, told


@pytest.mark.parametrize(
    ("workers", "max_body", "least"), [(1, 33_554_432, None), (4, 33_554_432, 288), (2, 67_108_864, 320)]
)
def test_a_spool_that_the_largest_delivery_could_stall_is_refused(
    tmp_path: Path, workers: int, max_body: int, least: int | None
) -> None:
    """What stays on disk although it is read, a segment a lane, must leave room for one request more; the bound's own line
    is named, with the number that is enough."""
    from ops.settings import read_settings

    text = (
        f"workers: {workers}\nlisten:\n  web: {{kind: http, address: 127.0.0.1, port: 80, max_body: {max_body}}}\n"
        "spool:\n  max_mib: {most}\n"
    )
    path = write(tmp_path, text.replace("{most}", "256"))
    if least is None:
        assert read_settings(path).spool.max_mib == 256
        return
    with pytest.raises(ConfigError) as error:
        read_settings(path)
    assert str(error.value.where).endswith(":5: spool.max_mib")
    assert str(least) in error.value.ja and str(least) in error.value.en and "listen.web" in error.value.ja
    read_settings(write(tmp_path, text.replace("{most}", str(least))))
