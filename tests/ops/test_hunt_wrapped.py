"""A hunt that passes lines over finds what one finds that reads every line, also where records are text in JSON."""

import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from ops.hunt import Hunt
from rules.in_force import InForce
from tests import shared
from tests.collectors.test_verbatim import SOURCES, _frames
from tests.ops.test_hunt_lines import _found, _rule, _rules

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def _escaped(text: str) -> str:
    """JSON with some of the letters in its texts as JSON may write them; other text as it is."""
    if not text.startswith("{"):
        return text
    written = {"s": "\\u0073", "/": "\\/", "k": "\\u212a"}
    return _TEXT.sub(lambda found: re.sub(r"(?<!\\)[s/k]", lambda one: written[one[0]], found[0]), text)


def _record(line: str) -> Any:
    """What stands in `data` and `event` is opened as a record only: a text there may be what a visitor typed."""
    return json.loads(line) if line.startswith("{") else line


WRAPPED: dict[str, Callable[[str], str]] = {
    "_raw": lambda line: json.dumps({"_raw": line}),
    "result": lambda line: json.dumps({"preview": False, "result": {"_raw": line}}),
    "data": lambda line: json.dumps({"data": _record(line)}),
    "message": lambda line: json.dumps({"message": line, "agent": {"type": "filebeat"}}),
    "log": lambda line: json.dumps({"log": line + "\n", "stream": "stdout"}),
    "event": lambda line: json.dumps({"event": _record(line)}),
    "string": json.dumps,
    "quotes": lambda line: line.replace('"', '\\"'),
    "container": lambda line: "2026-11-20T03:12:09.1Z stdout F " + json.dumps({"log": line}),
    "twice": lambda line: json.dumps({"message": json.dumps({"message": line})}),
    "escaped": lambda line: json.dumps({"message": _escaped(line)}),
    "escaped twice": lambda line: json.dumps({"message": _escaped(json.dumps({"message": _escaped(line)}))}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_lines_inside_documents(name: str, tmp_path: Path) -> None:
    """Each wrapping, with rules made of what the lines say."""
    lines, frames = _frames(name)
    frames = [frame for frame in frames if frame.height]
    matches = 0
    for number, (form, wrapped) in enumerate(WRAPPED.items()):
        rng = random.Random(f"{name} {form}")
        rules, path = tmp_path / f"rules{number}", tmp_path / f"{number}.log"
        rules.mkdir()
        [rule, *_] = _rules(name, frames, rng, plain=True)
        (rules / "r.yml").write_text(yaml.safe_dump(rule, allow_unicode=True), encoding="utf-8")
        path.write_text("".join(wrapped(line) + "\n" for line in lines), encoding="utf-8")
        sifted, _, _ = _found(path, name, rules, tmp_path / "cache", sieve=True)
        whole, _, _ = _found(path, name, rules, tmp_path / "cache", sieve=False)
        assert sifted == whole, (form, rule)
        matches += len(whole)
    assert matches


_SIGN_IN = {
    "time": "2026-11-23T00:00:00Z",
    "operationName": "Sign-in activity",
    "category": "SignInLogs",
    "tenantId": "11111111-2222-4333-8444-555555555555",
    "properties": {"deviceDetail": {"isCompliant": False, "operatingSystem": "Windows"}},
}
_ROW = {
    "TimeGenerated": "2026-11-23T00:00:00Z",
    "Type": "SigninLogs",
    "OperationName": "Sign-in activity",
    "DeviceDetail": '{"isCompliant": false, "operatingSystem": "Windows"}',
}
_PRETTY = {**_ROW, "DeviceDetail": '{\n\t"isCompliant"\n:\n\tfalse\n}'}
_AUDIT = {
    "TimeGenerated": "2026-11-23T00:00:00Z",
    "AADOperationType": "Update",
    "OperationName": "Update user",
    "AADTenantId": "11111111-2222-4333-8444-555555555555",
}
RULES = {
    "device": ("azure.signinlogs.device.is_compliant", "false"),
    "category": ("azure.auditlogs.category", "AuditLogs"),
}


def _hunted(folder: Path, line: str, rule: dict[str, Any], *, sieve: bool) -> int:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "r.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    (folder / "events.log").write_text(line + "\n", encoding="utf-8")
    found, _, _ = _found(
        folder / "events.log", "microsoft.entra", folder / "rules", folder / "cache", sieve=sieve
    )
    return len(found)


@pytest.mark.parametrize("sieve", [True, False])
@pytest.mark.parametrize(
    ("record", "asked"),
    [(_SIGN_IN, "device"), (_ROW, "device"), (_PRETTY, "device"), (_AUDIT, "category")],
    ids=["export", "row", "pretty", "audit"],
)
def test_records_and_rows_of_entra(
    record: dict[str, Any], asked: str, *, sieve: bool, tmp_path: Path
) -> None:
    """What stands before a value is escaped as often as the record is text; of some rows the source writes the category."""
    rule = _rule(0, "microsoft.entra", {"a": dict([RULES[asked]]), "condition": "a"})
    line = json.dumps(record)
    for form in (
        line,
        *(wrap(line) for name, wrap in WRAPPED.items() if name not in ("quotes", "twice", "escaped twice")),
    ):
        assert _hunted(tmp_path, form, rule, sieve=sieve) == 1, form


@pytest.mark.corpus
@pytest.mark.parametrize("sieve", [True, False])
def test_a_public_rule_on_a_row(*, sieve: bool, tmp_path: Path) -> None:
    """The rule that asks whether a device is compliant, by Sigma's names."""
    [path] = shared.corpus("sigma").rglob("azure_ad_sign_ins_from_noncompliant_devices.yml")
    log = tmp_path / "events.log"
    log.write_text(json.dumps(_ROW) + "\n", encoding="utf-8")
    out = io.BytesIO()
    Hunt([log], InForce([path]), tmp_path / "cache", sieve=sieve).write_jsonl(out)
    assert [orjson.loads(line)["rule"]["id"] for line in out.getvalue().splitlines()] == [
        yaml.safe_load(path.read_text(encoding="utf-8"))["id"]
    ]
