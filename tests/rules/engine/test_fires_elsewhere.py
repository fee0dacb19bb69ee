"""Public rules of any product but Windows, on records made out of them as the products write them: what is read is not told
what it is, and parser, tables and engine stand between the two."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from collectors.hunt_input import HuntInput
from rules.engine import Rule, RuleSet, load
from tests import shared
from tests.oracle import written_lines, written_products
from tests.oracle.written_products import Place

pytestmark = pytest.mark.corpus
EVERY = int(os.environ.get("HINOMI_FIRES_EVERY", "3"))
"""Of each log source one rule in so many, and the first; 1 for all."""
NOT_WRITTEN = {
    "azure_tap_added.yml": "asks for a reason where others ask for an outcome, both as Status",
    "azure_guest_to_member.yml": "asks for a name that is a piece of JSON with its quotation marks",
    "azure_ad_account_created_deleted_nonapproved_user.yml": "asks for the outcome `Sucess`",
    "azure_user_password_change.yml": "asks for a person of the name UPN",
    "azure_legacy_authentication_protocols.yml": "asks for a person of the name UPN",
    "azure_mfa_denies.yml": "asks for a reason where others ask for an outcome, both as Status",
    "azure_ad_sign_ins_from_unknown_devices.yml": "asks for an empty list as text",
    "azure_privileged_account_sigin_expected_controls.yml": "is made without a result, which every sign-in has",
    "web_lnx_exploit_cve_2025_31324_sap_netviewer_webshell.yml": "asks how the query begins: path and query are one here",
    "kubernetes_audit_potential_enumeration_activity.yml": "asks for the HTTP status ALLOW",
}
"""Rules whose values no record of the product holds, and where our tables (`_taxonomy.yml`) say more than the rule's name."""


class Made(NamedTuple):
    """A record that a rule must find."""

    rule: str
    file: str
    form: str
    line: str


def _placeholders() -> dict[str, list[str]]:
    texts = (path.read_text(encoding="utf-8") for path in shared.corpus("sigma").rglob("*.yml"))
    names = {name for text in texts for name in re.findall(r"%(\w+)%", text)}
    return {name: ["AQ" if "Countries" in name else "203.0.113.99"] for name in names}


@pytest.fixture(scope="module")
def values() -> dict[str, list[str]]:
    """Of every placeholder one value."""
    return _placeholders()


@pytest.fixture(scope="module")
def elsewhere(run_cache: Path, values: dict[str, list[str]]) -> RuleSet:
    """The public rules with their placeholders filled."""
    return load([shared.corpus("sigma")], cache=run_cache, placeholders=values)


def _chosen(rules: RuleSet) -> Iterator[tuple[Rule, Place]]:
    groups: dict[Place, list[Rule]] = defaultdict(list)
    for rule in rules.rules:
        source = rule.logsource
        place = source.get("product"), source.get("category"), source.get("service")
        if place[0] != "windows" and rule.unsupported is None and rule.path.name not in NOT_WRITTEN:
            groups[place].append(rule)
    return ((rule, place) for place, found in groups.items() for rule in found[::EVERY])


def _made(rules: RuleSet, values: Mapping[str, list[str]]) -> dict[tuple[Place, str], list[Made]]:
    """By log source and form the records of its rules."""
    forms = written_products.records() | written_lines.FORMS
    found: dict[tuple[Place, str], list[Made]] = defaultdict(list)
    for rule, place in _chosen(rules):
        written = next(yaml.safe_load_all(rule.path.read_text(encoding="utf-8")))
        events = list(written_products.events(rules.said(rule), written, rule.index, values))
        for (where, name), form in forms.items():
            lines = (line for event in events if where == place and (line := form(event)))
            if line := next(lines, None):
                found[place, name].append(Made(rule.id, rule.path.name, name, line))
    return found


def _unfound(rules: RuleSet, folder: Path, records: list[Made]) -> Iterator[Made]:
    """What its own rule did not find; records: of one form, in one file, or each in its own where all rules are tried."""
    for number, one in enumerate(records):
        with (folder / f"{number if EVERY == 1 else 0}.log").open("a", encoding="utf-8") as file:
            file.write(f"{one.line}\n")
    found = set()
    for batch in HuntInput().batches([folder]):
        lines = batch.frame["event.original"].to_list()
        found |= {(rule.id, lines[row]) for rule, rows in rules.match(batch).hits for row in rows}
    return (one for one in records if (one.rule, one.line.rpartition("\n")[2]) not in found)


def test_rules_fire_on_what_products_write(
    elsewhere: RuleSet, values: dict[str, list[str]], tmp_path: Path
) -> None:
    """Every log source that has a form here."""
    made = _made(elsewhere, values)
    unfound: set[tuple[str, str]] = set()
    for number, records in enumerate(made.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        unfound |= {(one.file, one.form) for one in _unfound(elsewhere, folder, records)}
    assert sum(map(len, made.values())) > 1200 // EVERY
    assert sorted(unfound) == []
