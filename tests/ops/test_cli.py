"""The commands as a person or a script runs them: real processes where that matters, words instead of traces, stable contracts."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hinomi.store.embedded import SqliteRecords
from ops.opened import opened, remember
from tests.ops.typed import Typed
from tests.shared import corpus

ROOT = Path(__file__).parents[2]


def hinomi(
    *arguments: str | Path, given: str = "", cache: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"HINOMI_CACHE": str(cache)} if cache else {})}
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=given,
        cwd=ROOT,
        env=environment,
        timeout=180,
        check=False,
        start_new_session=True,  # without the terminal of whoever runs the tests
    )


def test_parse_keeps_order_and_says_nothing_for_what_it_does_not_know(tmp_path: Path) -> None:
    """The contract of `hinomi parse`: a document a line, same order, {} where not understood."""
    lines = [
        "Accepted publickey for a from 192.0.2.1 port 1 ssh2",
        "nonsense",
        "Failed password for b from 192.0.2.2 port 2 ssh2",
    ]
    messages = tmp_path / "m.jsonl"
    messages.write_text("".join(json.dumps({"message": line}) + "\n" for line in lines))
    done = hinomi("parse", "--source", "linux.auth", "--messages", messages)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document.get("user", {}).get("name") for document in documents] == ["a", None, "b"]
    assert documents[1] == {}
    assert (
        documents[2]["source"] == {"ip": "192.0.2.2", "port": 2, "user": {"name": "b"}}
        or documents[2]["source"]["ip"] == "192.0.2.2"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["parse", "--source", "fortinet.fortigat", "--messages", "x"], "fortinet.fortigate"),
        (["search", "a: b", "--data", "/nonexistent"], "データフォルダがありません"),
        (["up", "--data", "/tmp/x", "--config", "/nonexistent.yaml"], "ファイルを読めません"),
        (["report", "no-such", "--data", "/nonexistent"], "データフォルダがありません"),
        (["up", "--data", __file__], "フォルダを作れません"),
        (["hunt", str(ROOT / "rules"), "--rules", __file__], "動かせる Sigma ルールがありません"),
        (["rules", "check", str(ROOT / "docs" / "images")], "ルールがありません"),
        (["incidents", "show", "first", "--data", "/nonexistent"], "number の値が正しくありません"),
        (
            ["alerts", "--data", "/nonexistent", "--level", "loud"],
            "--level の値が正しくありません。informational、low、medium、high、critical のどれか",
        ),
        (["hunt", "/nonexistent", "--rules", "/"], "「/nonexistent」がありません。"),
        (["hunt", "/", "--rules", "/", "--workers", "many"], "--workers の値が正しくありません。整数で"),
        (["hunt", "/", "--rules", "/", "--workers", "900"], "256 以下の数にしてください。"),
        (["demo", "--scale", "0"], "0.01 以上の数にしてください。"),
        (["demo", "--scale", "x"], "--scale の値が正しくありません。数で"),
        (["rules", "check", "/", "--sources", __file__], "はファイルです。フォルダを指定してください。"),
        (["alerts", "--daat", "x"], "近いもの: --data"),
        (["alrets"], "コマンド「alrets」はありません"),
        (["search"], "--data を指定してください"),
        (["search", "--data"], "--data の値を書いてください"),
        (["up", "--data", "/tmp/x", "one", "two"], "余分な引数があります: one two"),
    ],
)
def test_errors_are_sentences(arguments: list[str], said: str, typed: Typed) -> None:
    """Exit code 2, Japanese first, no trace."""
    done = typed(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr


def test_the_configuration_that_the_tower_runs_with_is_found_again(tmp_path: Path) -> None:
    """`hinomi doctor --data DIR` alone looks at the listeners and the console of the file that `up` was given."""
    config, data = tmp_path / "hinomi.yaml", tmp_path / "data"
    config.write_text("console: {port: 18999}\n", encoding="utf-8")
    SqliteRecords(data / "records.sqlite").close()
    remember(data, config)
    with opened(data) as place:
        assert place.settings.console.port == 18999


def test_what_is_logged_does_not_stand_in_the_answer(tmp_path: Path) -> None:
    """A damaged record is passed over and said on standard error; the answer on standard output is the list alone."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    records.put("exercise", "1", {"title": 5})
    records.close()
    done = hinomi("exercises", "list", "--data", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "record_damaged" in done.stderr and "record_damaged" not in done.stdout


def test_a_configuration_that_is_gone_is_not_taken_for_none(tmp_path: Path) -> None:
    """By the defaults a command would write into an embedded store that nobody reads; one that is named still counts."""
    config, data = tmp_path / "hinomi.yaml", tmp_path / "data"
    config.write_text("console: {port: 18999}\n", encoding="utf-8")
    remember(data, config)
    moved = config.rename(tmp_path / "moved.yaml")
    done = hinomi("users", "add", "sato", "--data", data, given="correct horse battery\n" * 2)
    assert done.returncode == 2 and "hinomi.yaml" in done.stderr
    assert not (data / "records.sqlite").exists()
    with opened(data, make=True, config=moved) as place:
        assert place.settings.console.port == 18999


def test_a_wrong_configuration_is_told_before_anything_starts(tmp_path: Path) -> None:
    """File, line, key, what stands there and what was expected; nothing is left behind."""
    config = tmp_path / "hinomi.yaml"
    text = "listen:\n  fw:\n    kind: tpc\n    port: 5140\n  dns:\n    kind: udp\n    port: 5140a\n"
    config.write_text(text, encoding="utf-8")
    done = hinomi("up", "--data", tmp_path / "data", "--config", config)
    assert done.returncode == 2
    assert "hinomi.yaml:3: listen.fw.kind" in done.stderr and "hinomi.yaml:7: listen.dns.port" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "workers: 1\nrules:\n  folders:\n    - ./no-rules\n",
            ["hinomi.yaml:4: rules.folders.0: 「no-rules」がありません。"],
        ),
        (
            "listen:\n  fw: {kind: tcp, port: 5514, source: fortinet.fortigat}\n",
            [
                "hinomi.yaml:2: listen.fw.source: 「fortinet.fortigat」というソースはありません。",
                "「fortinet.fortigate」",
            ],
        ),
    ],
)
def test_what_could_never_work_is_told_before_anything_starts(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    """Without its rules each process would end and be started again, for ever; without its source every line of a listener
    would become a dead letter."""
    config = tmp_path / "hinomi.yaml"
    config.write_text(text, encoding="utf-8")
    done = hinomi("up", "--data", tmp_path / "data", "--config", config)
    assert done.returncode == 2 and not (tmp_path / "data").exists()
    assert all(one in done.stderr for one in said), done.stderr


def test_users_are_added_with_a_password_that_is_asked_for(tmp_path: Path) -> None:
    """No password in argv; the store keeps an argon2 hash; the audit log says who did it."""
    secret = "correct horse battery"
    done = hinomi(
        "users", "add", "sato", "--data", tmp_path, "--role", "analyst", given=f"{secret}\n{secret}\n"
    )
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr
    records = SqliteRecords(tmp_path / "records.sqlite")
    record = records.get("user", "sato")
    assert record is not None and record.body["password_hash"].startswith("$argon2id$")
    assert [r.body["action"] for r in records.find("audit")] == ["user.add"]
    assert hinomi("audit", "verify", "--data", tmp_path).returncode == 0
    unknown = hinomi("users", "sees", "sato", "--data", tmp_path, "--organization", "higashi")
    assert unknown.returncode == 2 and "organizations" in unknown.stderr
    assert hinomi("users", "sees", "sato", "--data", tmp_path).returncode == 2  # neither some nor all
    assert hinomi("users", "sees", "sato", "--data", tmp_path, "--all").returncode == 0


def test_where_there_are_organisations_a_new_account_says_whose_things_it_sees(tmp_path: Path) -> None:
    """Neither an organisation nor --all is refused before a password is asked for; each of the two is taken."""
    config, data, secret = tmp_path / "hinomi.yaml", tmp_path / "data", "correct horse battery\n" * 2
    config.write_text("organizations: {higashi: {name_ja: 東町}}\n", encoding="utf-8")
    SqliteRecords(data / "records.sqlite").close()
    remember(data, config)
    neither = hinomi(
        "users", "add", "sato", "--data", data
    )  # no password: it would be missed if it were asked for
    assert neither.returncode == 2 and "--all" in neither.stderr
    both = hinomi("users", "add", "sato", "--data", data, "--all", "--organization", "higashi", given=secret)
    assert both.returncode == 2
    for name, said in (("sato", ["--organization", "higashi"]), ("kato", ["--all"])):
        assert hinomi("users", "add", name, "--data", data, *said, given=secret).returncode == 0
    passed_on = hinomi("users", "release", "sato", "--data", data)
    assert passed_on.returncode == 2 and "--all" in passed_on.stderr
    local = hinomi("users", "release", "sato", "--data", data, "--all")
    assert local.returncode == 2 and "引き継げません" in local.stderr
    records = SqliteRecords(data / "records.sqlite")
    assert {user.id: user.body["organizations"] for user in records.find("user")} == {
        "sato": ["higashi"],
        "kato": [],
    }


def test_before_the_first_start_the_configuration_can_be_named(tmp_path: Path) -> None:
    """An account made before `hinomi up` remembers a configuration sees what that configuration says, and no more."""
    config, data, secret = tmp_path / "hinomi.yaml", tmp_path / "data", "correct horse battery\n" * 2
    config.write_text("organizations: {higashi: {name_ja: 東町}}\n", encoding="utf-8")
    named = ("users", "add", "sato", "--data", data, "--config", config)
    neither = hinomi(*named)
    assert neither.returncode == 2 and "--all" in neither.stderr
    assert hinomi(*named, "--organization", "higashi", given=secret).returncode == 0
    (user,) = SqliteRecords(data / "records.sqlite").find("user")
    assert user.body["organizations"] == ["higashi"]


def test_no_data_folder_is_made_before_the_password_is_given(tmp_path: Path) -> None:
    """Whoever sees that --data is mistyped, and stops at the question, leaves nothing behind."""
    data = tmp_path / "mistyped"
    done = hinomi("users", "add", "sato", "--data", data)
    assert done.returncode == 2 and "パスワードを読めません" in done.stderr
    assert f"{data}: データフォルダを新しく作ります" in done.stderr
    assert not data.exists()


def test_a_piped_password_is_taken_though_there_is_a_terminal(tmp_path: Path) -> None:
    """In a session with a terminal (a person at a shell), what stands before the pipe is the password."""
    line = shlex.join([sys.executable, "-m", "ops.cli", "users", "add", "sato", "--data", str(tmp_path)])
    shell = f"yes 'correct horse battery' | head -2 | {line}"
    at_a_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    done = subprocess.run(
        [sys.executable, "-c", at_a_terminal, "sh", "-c", shell],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert SqliteRecords(tmp_path / "records.sqlite").get("user", "sato") is not None


def test_a_closed_standard_input_brings_no_password(tmp_path: Path) -> None:
    """Said in words, as where it is empty."""
    line = shlex.join([sys.executable, "-m", "ops.cli", "users", "password", "sato", "--data", str(tmp_path)])
    shell = ["sh", "-c", f"{line} <&-"]
    done = subprocess.run(shell, capture_output=True, text=True, cwd=ROOT, timeout=180, check=False)
    assert done.returncode == 2 and "パスワードを読めません" in done.stderr


def test_doctor_names_the_next_step(tmp_path: Path) -> None:
    """A tower that is not running and has no users: said, with what to do."""
    SqliteRecords(tmp_path / "records.sqlite").close()
    done = hinomi("doctor", "--data", tmp_path)
    assert "hinomi up は動いていません" in done.stdout and "hinomi users add" in done.stdout
    checks = json.loads(hinomi("doctor", "--data", tmp_path, "--json").stdout)
    assert {check["state"] for check in checks} <= {"good", "warn", "bad"}


def test_rules_check_and_test(tmp_path: Path) -> None:
    """Counts and reasons, as text and as JSON; our own packs pass."""
    (tmp_path / "bad.yml").write_text("title: t\ndetection: {}\n", encoding="utf-8")
    done = hinomi("rules", "check", tmp_path, "--json", cache=tmp_path / "cache")
    assert done.returncode == 1 and json.loads(done.stdout)["problems"]
    own = hinomi("rules", "test", ROOT / "rules" / "packs", cache=tmp_path / "cache")
    assert own.returncode == 0 and ", 0 failed" in own.stdout


def test_rules_explain(tmp_path: Path) -> None:
    """What matched is shown between marks, control characters inert; exit 1 without a match; errors in words."""
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "title: t\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {product: hinomi, service: x.y}\n"
        "detection: {sel: {f|contains: needle, g|re: 'a+'}, kw: [hay], condition: sel and not kw}\n",
        encoding="utf-8",
    )
    event = json.dumps({"f": "a NEEDLE\x1b[31m", "g": "baab", "event": {"dataset": "x.y"}})
    done = hinomi("rules", "explain", rule, "-", given=event, cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    assert (
        "f: a ⟦NEEDLE⟧\\x1b[31m" in done.stdout and "g: b⟦aa⟧b" in done.stdout and "\x1b" not in done.stdout
    )
    (tmp_path / "event.json").write_text(event.replace("baab", "hay"), encoding="utf-8")
    identity = "11111111-2222-4333-8444-555555555555"
    flags = ("--rules", tmp_path, "--json")
    other = hinomi("rules", "explain", identity, tmp_path / "event.json", *flags, cache=tmp_path / "cache")
    told = json.loads(other.stdout)
    assert other.returncode == 1 and not told["matched"] and told["routed"]
    negated = told["condition"]["parts"][1]["parts"][0]
    assert negated["name"] == "kw" and negated["parts"][0]["seen"][1]["spans"] == [[0, 3]]
    wrong = hinomi("rules", "explain", rule, "-", given="[1]", cache=tmp_path / "cache")
    assert wrong.returncode == 2 and "one event as one JSON object" in wrong.stderr


@pytest.mark.corpus
@pytest.mark.slow
def test_hunt_hits_the_regression_events(tmp_path: Path) -> None:
    """`hinomi hunt --jsonl` on SigmaHQ's own events: at least 98 of the 100 cases, each signal with its contract."""
    cases = corpus("sigma-regression")
    rules = [corpus("sigma", name) for name in ("rules", "rules-emerging-threats", "rules-threat-hunting")]
    flags = [flag for folder in rules for flag in ("--rules", str(folder))]
    done = hinomi("hunt", cases, *flags, "--jsonl", cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    hits: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        signal = json.loads(line)
        assert signal["rule"]["name"] and signal["event"]["original"]
        hits.setdefault(Path(signal["log"]["file"]["path"]).name, set()).add(signal["rule"]["id"])
    wanted = json.loads((cases / "cases.json").read_text())
    held = sum(set(case["rule_ids"]) <= hits.get(case["file"], set()) for case in wanted)
    assert held >= 98, f"{held}/{len(wanted)}"


def test_hunt_names_a_rule_that_it_cannot_use(tmp_path: Path) -> None:
    """A broken rule is said on standard error with file and line; the other rules go on, JSON lines stay clean."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "half.yml").write_text("title: half\ndetection: {s: {", encoding="utf-8")
    (tmp_path / "rules" / "whole.yml").write_text(
        "title: whole\nid: 6f1e3c1a-0000-4000-8000-0000000000aa\nlogsource: {product: windows}\n"
        "detection: {s: {EventID: 4624}, condition: s}\n",
        encoding="utf-8",
    )
    log = tmp_path / "log.json"
    log.write_text('{"EventID": 4624, "Channel": "Security", "SourceName": "x"}\n', encoding="utf-8")
    done = hinomi("hunt", log, "--rules", tmp_path / "rules", "--jsonl", cache=tmp_path / "cache")
    assert [json.loads(line)["rule"]["name"] for line in done.stdout.splitlines()] == ["whole"]
    assert "half.yml:3" in done.stderr and done.returncode == 1
