"""A hunt that reads whole only what may match finds exactly what a hunt finds that reads everything whole."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evtx
import orjson
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collectors.windows.narrow import WindowsNarrow
from ops.hunt import Hunt
from rules.in_force import InForce
from tests.shared import corpus

SECURITY, SYSMON = "Security", "Microsoft-Windows-Sysmon/Operational"
PROVIDERS = {SECURITY: "Microsoft-Windows-Security-Auditing", SYSMON: "Microsoft-Windows-Sysmon"}

DETECTIONS: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"service": "security"}, {"s": {"EventID": 4624}, "condition": "s"}),
    ({"service": "security"}, {"s": {"EventID": 4625, "A": None}, "condition": "s"}),
    ({"service": "security"}, {"s": {"EventID": [4624, 4625], "A|contains": "b\\c"}, "condition": "s"}),
    (
        {"service": "security"},
        {"s": {"A|endswith": '"x'}, "f": {"EventID": 4624}, "condition": "s and not f"},
    ),
    ({"service": "security"}, {"s": {"A|re": "^[0-9]+$"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A|gt": 3}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A": ["true", "1.5", "é", "-"]}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A|endswith": "rue"}, "condition": "s"}),
    (
        {"service": "security"},
        {"s": {"A|startswith": "C:\\Windows", "B|contains": "\\cmd"}, "condition": "s"},
    ),
    ({"service": "security"}, {"s": {"A": 42, "B": ["É", "海"]}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A|re": "(?i)windows\\\\cmd"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A|cased|contains": 'x"y'}, "condition": "s"}),
    ({"service": "security"}, {"s": {"B|endswith": "m^d"}, "condition": "s"}),
    ({"category": "process_creation"}, {"s": {"User|contains": "кiwi"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"B|fieldref": "A"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"SomeGuid|startswith": "{0"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"Data|contains": "sekurlsa"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"Computer": "pc"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"Message|contains": "c"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"param1": "b\\c"}, "condition": "s"}),
    ({"category": "process_creation"}, {"s": {"Image|endswith": "\\cmd.exe"}, "condition": "s"}),
    (
        {"category": "process_creation"},
        {"s": {"Image": "*"}, "f": {"User|exists": True}, "condition": "s and not f"},
    ),
    ({}, {"k": ["sekurlsa::", "a\\b c"], "f": {"EventID": 15}, "condition": "k and not f"}),
    ({"service": "security"}, {"s": {"B|startswith": "b c"}, "condition": "s"}),
    ({"service": "security"}, {"s": {"A|re": "b.c"}, "condition": "s"}),
    ({"service": "security"}, {"k": ["qé"], "condition": "k"}),
    ({"service": "security"}, {"k": ["kiwi"], "s": {"A": "1"}, "condition": "s and not k"}),
]


def _write_rules(folder: Path) -> Path:
    for number, (logsource, detection) in enumerate(DETECTIONS):
        rule = {
            "title": f"rule {number}",
            "id": f"00000000-0000-4000-8000-{number:012}",
            "logsource": {"product": "windows", **logsource},
            "detection": detection,
            "level": "low",
        }
        (folder / f"r{number:02}.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules of every kind of test, of one event id, of several, of any."""
    return _write_rules(tmp_path_factory.mktemp("rules"))


def _found(paths: list[Path], rules: Path, cache: Path, *, sieve: bool) -> tuple[list[Any], int, Any]:
    hunt, out = Hunt(paths, InForce([rules]), cache, sieve=sieve), io.BytesIO()
    hunt.write_jsonl(out)
    documents = [orjson.loads(line) for line in out.getvalue().splitlines()]
    found = sorted((one["rule"]["id"], one["event"]["id"]) for one in documents)
    return found, hunt.tally.events, hunt.tally.by_rule


TEXT = st.sampled_from(
    ["", "-", "b\\c", '"x', 'ax"y', "É", "com^d", "Кiwi",
     "é", "ſekurlsa::", "SEKURLSA::", "ki\u212awi", "kiwi", "a\\b c", "qé", "42", "1.5", "1e5", "\t",
     "x\nb\\c", "{0", "[1]", "b\x1fc", "a\\b\x1fc", "kiwi\x1f", "\x1f",
     "00000000-0000-0000-0000-000000000001", "C:\\Windows\\cmd.exe", "true", "/",
     "海"]
)  # fmt: skip
VALUE: st.SearchStrategy[Any] = st.one_of(
    TEXT,
    st.sampled_from([0, 1, 4, 10**18, 2**64, 1.5, 1e5, 1e300, True, False, None, [], {}]),
    st.lists(TEXT, max_size=3),
    st.dictionaries(st.sampled_from(["#text", "A", "x.y"]), TEXT, max_size=2),
)
NAMES = st.sampled_from(
    [
        "A",
        "B",
        "SomeGuid",
        "Data",
        "param1",
        "param2",
        "Image",
        "User",
        "A*",
        "Comp^uter",
        "x.y",
        "EventTime",
        "Message",
    ]
)
PARTS = st.dictionaries(NAMES, VALUE, max_size=5)
IDS: st.SearchStrategy[Any] = st.sampled_from([4624, 4625, "4624", 1, 15, 4624.0, True, None, [1]])
CHANNELS: st.SearchStrategy[Any] = st.sampled_from([SECURITY, SYSMON, "security", "", None, 5])


@st.composite
def _lines(draw: st.DrawFn) -> str:
    number, channel, data = draw(IDS), draw(CHANNELS), draw(PARTS)
    provider = draw(st.sampled_from([PROVIDERS.get(str(channel)), "PowerShell", None, 3, "x"]))
    computer = draw(st.sampled_from(["pc", "PC", "other", None]))
    form = draw(st.sampled_from(["flat", "flat", "evtx", "evtx", "beats"]))
    if form == "flat":
        document = {
            "EventID": number,
            "Channel": channel,
            "SourceName": provider,
            "Hostname": computer,
            **data,
        }
        if draw(st.booleans()):
            document["Provider_Name"] = draw(st.sampled_from([provider, "x"]))
    elif form == "evtx":
        system = {
            "EventID": number,
            "Channel": channel,
            "Computer": computer,
            "Provider": {"#attributes": {"Name": provider}},
        }
        where = draw(st.sampled_from(["EventData", "UserData"]))
        document = {"Event": {"System": system, where: data if where == "EventData" else {"Wrapper": data}}}
    else:
        document = {
            "winlog": {"event_id": number, "channel": channel, "provider_name": provider, "event_data": data}
        }
    separators = draw(st.sampled_from([None, (",", ":"), (" ,", " :\t")]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), separators=separators)
    if draw(st.integers(0, 9)) == 0:
        text = text[:-1] + f', "A": {json.dumps(draw(TEXT))}' + "}"
    if draw(st.integers(0, 19)) == 0:
        text = draw(
            st.sampled_from(
                [
                    text[:-1],
                    "[" + text + "]",
                    text.replace("/", "\\/"),
                    text.replace("s", "\\u0073"),
                    " ",
                    text + "\r",
                ]
            )
        )
    return text


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # lines are shrunk more slowly than read
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(lines=st.lists(_lines(), min_size=8, max_size=40))
def test_generated_lines(lines: list[str], rules: Path, tmp_path: Path) -> None:
    """Escapes, `\\u`, names given twice, nested objects, numbers of every kind, nulls, three forms, broken lines."""
    filler = json.dumps({"EventID": 1, "Channel": SYSMON, "SourceName": PROVIDERS[SYSMON], "Image": "x"})
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([filler] * 60 + lines) + "\n", encoding="utf-8", newline="")
    sifted = _found([path], rules, tmp_path / "cache", sieve=True)
    assert sifted == _found([path], rules, tmp_path / "cache", sieve=False)


def test_keywords_are_of_the_event_itself(tmp_path: Path) -> None:
    """A word that we add as a meaning (logon type 10) meets no keyword, in a hunt or where all is read; one in a value does."""
    (tmp_path / "rules").mkdir()
    for number, word in enumerate(["RemoteInteractive", "10.0.0.9", "PC\\\\ADMIN"]):
        rule = {
            "title": word,
            "id": f"00000000-0000-4000-8000-{number:012}",
            "logsource": {"product": "windows", "service": "security"},
            "detection": {"keywords": [word], "condition": "keywords"},
        }
        (tmp_path / "rules" / f"{number}.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    event = {"EventID": 4624, "Channel": SECURITY, "SourceName": PROVIDERS[SECURITY], "LogonType": 10}
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({**event, "IpAddress": "10.0.0.9", "A": "PC\\admin"}) + "\n", encoding="utf-8")
    for sieve in (True, False):
        _, events, by_rule = _found([path], tmp_path / "rules", tmp_path / "cache", sieve=sieve)
        assert events == 1
        assert sorted(title for _, title, _ in by_rule) == ["10.0.0.9", "PC\\\\ADMIN"]


def test_saas_lines(tmp_path: Path) -> None:
    """Audit records of which only those are read that hold a rule's words, one with its letters escaped."""
    operations = ["New-InboxRule", "FileDownloaded", "FileAccessed", "UserLoggedIn"]
    records = [
        {"CreationTime": "2026-11-20T19:31:05", "Id": str(n), "Operation": name, "RecordType": 1, "Workload": "Exchange",
         "UserType": 0, "Version": 1, "OrganizationId": "x", "UserId": "a@city.hinomi.example.jp", "UserKey": "1"}
        for n, name in enumerate(operations)
    ]  # fmt: skip
    lines = [json.dumps(record) for record in records]
    lines.append(lines[0].replace("InboxRule", "Inbox\\u0052ule").replace('"Id": "0"', '"Id": "9"'))
    path = tmp_path / "m365.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rule = {
        "title": "inbox rule",
        "id": "00000000-0000-4000-8000-000000000099",
        "logsource": {"product": "m365", "service": "audit"},
        "detection": {"s": {"Operation": ["New-InboxRule", "Set-InboxRule"]}, "condition": "s"},
        "level": "low",
    }
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    sifted = _found([path], tmp_path / "rules", tmp_path / "cache", sieve=True)
    assert len(sifted[0]) == 2
    assert sifted == _found([path], tmp_path / "rules", tmp_path / "cache", sieve=False)


@pytest.mark.corpus
@pytest.mark.slow
def test_attack_samples(tmp_path: Path) -> None:
    """Every recorded attack sample, as EVTX and as flat JSON lines, with every public Windows rule."""
    public, folder = corpus("sigma", "rules", "windows"), corpus("evtx")
    flat = tmp_path / "flat.jsonl"
    flat.write_text("\n".join(map(json.dumps, _flat(folder))), encoding="utf-8")
    cache = tmp_path / "cache"
    sifted = _found([folder, flat], public, cache, sieve=True)
    assert len(sifted[0]) > 900
    assert sifted == _found([folder, flat], public, cache, sieve=False)


def _flat(folder: Path) -> Iterator[dict[str, Any]]:
    """As collectors write them that know no nesting."""
    for path in sorted(folder.rglob("*.evtx")):
        for record in evtx.PyEvtxParser(str(path)).records_json():
            event = json.loads(record["data"])["Event"]
            system = event["System"]
            number = system["EventID"]
            yield {
                "EventID": number["#text"] if isinstance(number, dict) else number,
                "Channel": system["Channel"],
                "SourceName": system["Provider"]["#attributes"].get("Name"),
                "Computer": system["Computer"],
                "EventTime": system["TimeCreated"]["#attributes"]["SystemTime"],
                **(event.get("EventData") or {}),
            }


@pytest.mark.parametrize("odd", [["a"], {"b": "c"}, True, 1.0, None])
@pytest.mark.parametrize("name", ["EventID", "Channel", "SourceName", "Provider_Name"])
def test_names_that_are_no_text(name: str, odd: Any) -> None:
    """An event whose id, channel or provider is a list, an object or a truth is left to the full reading, behind usual ones
    and before them: to Python 1, True and 1.0 are one key."""
    usual = {"EventID": 1, "Channel": SYSMON, "SourceName": "p", "Provider_Name": "p", "Image": "x"}
    lines = [orjson.dumps(one) for one in (usual, {**usual, name: odd}, usual)]
    reading = WindowsNarrow().reading(lambda _: frozenset({"winlog.event_data.Image"}))
    assert reading.add(0, lines) == [0, 1, 2]
    read = reading.finish()
    rows = [row for kind in read.kinds for row in kind.rows.tolist()]
    absent = odd is None and name in ("SourceName", "Provider_Name")  # the other name tells
    assert (sorted(rows), read.whole) == (([0, 1, 2], []) if absent else ([0, 2], [1]))
