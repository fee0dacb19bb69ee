"""Our own rules: each loads, does what the cases beside it say, and says what people need."""

import json
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from hinomi.batch import Batch
from hinomi.clock import FixedClock
from ops.folders import packs_folder
from responders.playbooks.playbook import catalogue
from rules import cases, content, engine
from rules.correlation import Correlator
from tests.shared import corpus

PACKS = packs_folder()
FILES = engine.rule_files([PACKS])
# These two look their names up on MITRE's servers; a closed network, and this test, cannot.
_OFFLINE = ["-x", "attacktag", "-x", "d3_fendtag"]
_TEXT = ["-x", "number_as_string"]  # winlog.event_id is text by contract


@cache
def documents() -> list[dict[str, object]]:
    return [
        document
        for file in FILES
        for document in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    ]


def speaking() -> list[dict[str, object]]:
    """Rules that people see: all but the bases that only count."""
    return [document for document in documents() if document["level"] != "informational"]


def test_everything_loads_and_can_run() -> None:
    """No problem, nothing unsupported, every rule fed by a source of ours."""
    report = content.check([PACKS])
    assert report.problems == [] and report.unsupported == [] and report.unfed == 0
    assert len(speaking()) >= 150
    assert sum("correlation" in document for document in speaking()) >= 40


def test_every_case_holds() -> None:
    """Each rule's own cases, through the real engine and correlator with all rules loaded."""
    tested = content.test([PACKS])
    assert [(case.file.name, case.name, case.said) for case in tested.failed] == []
    assert tested.untested == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_two_hits_and_two_misses(file: Path) -> None:
    """Each rule that speaks has at least two cases that match and two that must not; in a file of several each case says whose
    it is."""
    documents = yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    names = [document["name"] for document in documents if document["level"] != "informational"]
    written = [case.body for _, case in cases.read(file.with_name(f"{file.stem}.test.yml"))]
    whose = Counter(
        (body["rule"] if len(names) > 1 else body.get("rule", names[0]), body["match"])
        for body in written
        if names
    )
    few = {f"{name} {match}": whose[name, match] for name in names for match in (True, False)}
    assert {case: count for case, count in few.items() if count < 2} == {}


def test_ids_are_unique_uuids() -> None:
    """Version 4, each once."""
    ids = [str(document["id"]) for document in documents()]
    assert len(ids) == len(set(ids))
    assert {uuid.UUID(identity).version for identity in ids} == {4}


def test_each_rule_speaks_both_languages_and_names_its_ground() -> None:
    """Title and what to do in both languages, ATT&CK tags, false positives, guideline clauses, known playbooks."""
    playbooks = catalogue()
    for document in speaking():
        own = document["hinomi"]
        assert isinstance(own, dict)
        for key in ("title", "title_ja", "what_to_do_ja", "what_to_do_en", "description", "falsepositives"):
            assert document.get(key), (document["title"], key)
        assert any("\u3040" <= sign <= "\u9fff" for sign in str(document["title_ja"]))
        assert any(str(tag).startswith("attack.t") for tag in document["tags"])  # type: ignore[attr-defined]
        assert own["guideline"], document["title"]
        assert not own.get("playbook") or own["playbook"] in playbooks


def test_what_is_grave_names_its_playbook_or_says_why_it_has_none() -> None:
    """Whoever is called at night finds a plan, or reads in the rule why people must do without."""
    grave = [document for document in speaking() if document["level"] in ("high", "critical")]
    without = [document for document in grave if not document["hinomi"].get("playbook")]  # type: ignore[attr-defined]
    reasons = {document["name"]: document["hinomi"].get("no_playbook_ja", "") for document in without}  # type: ignore[attr-defined]
    assert len(grave) > 100 and [name for name, reason in reasons.items() if not reason] == []
    assert all(document["hinomi"].get("no_playbook_en") for document in without)  # type: ignore[attr-defined]
    assert len(without) <= 5, sorted(map(str, reasons))


def test_guideline_clauses_exist() -> None:
    """Every clause that a rule or playbook names is in the list of controls."""
    text = corpus("guideline", "controls.yaml").read_text(encoding="utf-8")
    controls = yaml.load(text, yaml.CSafeLoader)["controls"]
    known = {control["id"] for control in controls}
    named = {clause for document in speaking() for clause in document["hinomi"]["guideline"]}  # type: ignore[index]
    named |= {clause for playbook in catalogue().values() for clause in playbook.serves}
    assert named <= known


def test_sigma_cli_finds_nothing_to_say(tmp_path: Path) -> None:
    """`sigma check` passes on the Sigma rules as one collection (rules refer to each other across files; a
    baseline is a kind of our own, which Sigma does not define)."""
    sigma = [file.read_text(encoding="utf-8") for file in FILES]
    whole = tmp_path / "hinomi_packs_as_one.yml"
    whole.write_text("---\n".join(text for text in sigma if "\nbaseline:" not in text), encoding="utf-8")
    command = [
        str(Path(sys.executable).parent / "sigma"),
        "check",
        "--fail-on-error",
        "--fail-on-issues",
        *_OFFLINE,
        *_TEXT,
    ]
    done = subprocess.run([*command, str(whole)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_correlations_resume_from_their_state() -> None:
    """Half of a burst before a restart and half after it is one burst, with the alert id of an unbroken run."""
    rules = engine.load([PACKS])
    case = dict(cases.read(PACKS / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(_, batch)] = cases.batches(case, "fortinet.fortigate")
    whole = _ids(rules, [batch])
    assert len(whole) == 1
    assert (
        _ids(rules, [replace(batch, frame=batch.frame[:4]), replace(batch, frame=batch.frame[4:])]) == whole
    )


def _ids(rules: engine.RuleSet, parts: list[Batch]) -> set[str]:
    clock, state, found = FixedClock(content.START), None, set()
    for part in parts:
        correlator = Correlator.of(rules, clock)
        if state is not None:
            correlator.load(state)
        found |= {
            a.id
            for a in correlator.feed(rules.signals(part, rules.match(part)))
            if a.rule_name == "vpn_spray"
        }
        state = json.loads(json.dumps(correlator.dump()))
    return found
