"""Public rules of any product but Windows, on records made out of them as the products write them, and on the same records with
one value changed: what is read is not told what it is, and parser, tables and engine stand between the two."""

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from collectors.hunt_input import HuntInput
from rules.engine import Rule, RuleSet, load, rule_files
from tests import shared
from tests.oracle import written_lines, written_products
from tests.oracle.written_products import Place

pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("elsewhere")]
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
    "proxy_ua_empty.yml": "asks for an empty agent, which is no agent here",
    "proxy_hktl_empire_ua_uri_patterns.yml": "asks for a whole URI that has no host, where Squid writes one",
    "juniper_bgp_missing_md5.yml": "asks for a line of rpd, which alone is nobody's: a listener must be told that it is of Junos",
    "kubernetes_audit_potential_enumeration_activity.yml": "asks for the HTTP status ALLOW",
}
"""Rules whose values no record of the product holds, and where our tables (`_taxonomy.yml`) say more than the rule's name."""


WITHOUT = """
file_event_macos_axios_npm_compromise_indicators.yml
file_event_paloalto_globalprotect_exploit_cve_2024_3400_command_inject_file_creation.yml
huawei_bgp_auth_failed.yml
netflow_cleartext_protocols.yml
paloalto_globalprotect_exploit_cve_2024_3400_command_injection.yml
proxy_cve_2023_46747_f5_remote_code_execution.yml
qualys_default_credentials_usage.yml
qualys_host_without_firewall.yml
web_cve_2021_22123_fortinet_exploit.yml
web_cve_2023_46747_f5_remote_code_execution.yml
web_exploit_cve_2023_4966_citrix_sensitive_information_disclosure_exploit_attempt.yml
web_exploit_cve_2024_1212_.yml
web_exploit_cve_2026_63030_webshell_plugin_access.yml
web_lnx_exploit_cve_2025_31324_sap_netviewer_webshell_uploaded.yml
"""
"""Rules of which no record is made: of a product that has no form here, or with values that none can hold."""


class Made(NamedTuple):
    """A record that a rule must find, or must not."""

    rule: str
    file: str
    hits: bool
    line: str


Forms = dict[tuple[str, str], list[Made]]
"""By log source and form."""


@pytest.fixture(scope="module")
def values() -> dict[str, list[str]]:
    """Of every placeholder one value."""
    texts = (path.read_text(encoding="utf-8") for path in shared.corpus("sigma").rglob("*.yml"))
    names = {name for text in texts for name in re.findall(r"%(\w+)%", text)}
    return {name: ["AQ" if "Countries" in name else "203.0.113.99"] for name in names}


@pytest.fixture(scope="module")
def elsewhere(run_cache: Path, values: dict[str, list[str]]) -> RuleSet:
    """The public rules of other products with their placeholders filled."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in rule_files([shared.corpus("sigma")]))
    files = [path for path, text in texts if not re.search(r"^ +product: *windows\b", text, re.MULTILINE)]
    return load(files, cache=run_cache, placeholders=values)


@pytest.fixture(scope="module")
def chosen(elsewhere: RuleSet) -> list[tuple[Rule, Place]]:
    """Rules of every log source."""
    groups: dict[Place, list[Rule]] = defaultdict(list)
    for rule in elsewhere.rules:
        source = rule.logsource
        place = source.get("product"), source.get("category"), source.get("service")
        if rule.unsupported is None and rule.path.name not in NOT_WRITTEN:
            groups[place].append(rule)
    return [(rule, place) for place, found in groups.items() for rule in found[::EVERY]]


@pytest.fixture(scope="module")
def made(elsewhere: RuleSet, chosen: list[tuple[Rule, Place]], values: dict[str, list[str]]) -> Forms:
    """The records of these rules."""
    forms = written_products.records() | written_lines.FORMS
    found: Forms = defaultdict(list)
    for rule, place in chosen:
        written = next(yaml.load_all(rule.path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        events = list(written_products.events(elsewhere.said(rule), written, values))
        where = "applications" if place[0] in written_lines.APPLICATIONS else str(place)
        for name, form in ((name, form) for (its, name), form in forms.items() if its == place):
            event, line = next(((event, line) for event in events if (line := form(event))), ({}, None))
            if line is None:
                continue
            found[where, name].append(Made(rule.id, rule.path.name, True, line))
            others = written_products.nearly(form, event, written, values)
            if other := next((one for one in others if one != line), None):
                found[where, name].append(Made(rule.id, rule.path.name, False, other))
    return found


def _found(
    rules: RuleSet, file: Path, records: list[Made], source: str = ""
) -> tuple[set[tuple[str, str]], set[str]]:
    """Rules and lines that they found, and what the lines were taken for. source: the name of what they are, if told."""
    # a line of columns stands once
    lines = dict.fromkeys(line for one in records for line in one.line.split("\n"))
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    found, datasets = set(), set()
    for batch in HuntInput(source=source).batches([file]):
        read = batch.frame["event.original"].to_list()
        found |= {(rule.id, read[row]) for rule, rows in rules.match(batch).hits for row in rows}
        datasets.add(batch.dataset)
    return found, datasets


def test_rules_fire_on_what_products_write_and_not_where_one_value_is_another(
    elsewhere: RuleSet, made: Forms, tmp_path: Path
) -> None:
    """Every log source that has a form here. Records that are changed are told to be what the others were taken for."""
    wrong: set[tuple[str, str, bool]] = set()
    for (_, form), records in made.items():
        hits = [one for one in records if one.hits]
        found, datasets = _found(elsewhere, tmp_path / "lines.log", hits)
        for dataset in datasets:
            others = [one for one in records if not one.hits]
            found |= _found(elsewhere, tmp_path / "changed.log", others, dataset)[0]
        lines = ((one, (one.rule, one.line.rpartition("\n")[2]) in found) for one in records)
        wrong |= {(one.file, form, one.hits) for one, there in lines if there != one.hits}
    every = [one.hits for records in made.values() for one in records]
    assert min(every.count(True), every.count(False)) > 1300 // EVERY
    assert sorted(wrong) == []


def test_rules_without_a_record_are_known(chosen: list[tuple[Rule, Place]], made: Forms) -> None:
    """None is passed over in silence; of all rules none is named that has one."""
    written = {one.file for records in made.values() for one in records}
    without = {rule.path.name for rule, _ in chosen} - written
    known = set(WITHOUT.split())
    assert sorted(without - known) == []
    assert EVERY > 1 or known == without
