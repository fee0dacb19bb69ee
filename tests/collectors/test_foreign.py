"""A source that says what its every line has takes nothing else: names that many products use make no line its own."""

import json

import pytest

from collectors import catalogue
from collectors.parse import documents
from tests import shared
from tests.collectors import content
from tests.conformance.test_intake import MAPPING

SOURCES = {name: source for name, source in catalogue.sources().items() if source.always}
ONE_FORMAT = {
    "forcepoint.ngfw": {"forcepoint.web_security"},
    "microsoft.azure_web": {"microsoft.azure_activity"},
    "cisco.umbrella": {"keycloak.events", "rsa.securid"},
    "nginx.web": {
        "apache.httpd",
        "aws.network_firewall",
        "eset.protect",
        "keycloak.events",
        "postgresql.server",
    }
    | {"squid.access", "suricata.eve", "google.vpc_flow", "vectra.detect"},
    "sophos.firewall": {"fortinet.fortigate", "fortinet.fortimail", "fortinet.fortiweb"},
    "suricata.eve": {
        "cato.sase",
        "aws.network_firewall",
        "cisco.duo",
        "eset.protect",
        "jumpcloud.directory",
        "nozomi.vantage",
    },
    "ubika.waap": {"tehtris.edr"},
    "delinea.platform": {"generic.json"},
    "google.vpc_flow": {"google.cloud_firewall"},
    "jumpcloud.directory": {"rubycat.proveit"},
    "nozomi.vantage": {"box.events"},
    "proofpoint.tap": {"cybereason.malop", "lookout.mes"},
    "trendmicro.apex_one": {"trendmicro.deep_security"},
    "trendmicro.deep_security": {"trendmicro.apex_one"},
    "vade.cloud": {"keycloak.events", "microsoft.entra_graph"},
    "vectra.detect": {"paloalto.cortex_xdr"},
    "wiz.cloud": {"aws.waf", "newrelic.issue"},
}
"""Whose example lines look like a source's own: the combined log of web servers, one vendor's or one family's keys."""
_MOST = 70
"""Lines of the corpus (of some 2,000 of other products) that a source may take: they share a form (a web server's log) or a name that a
product's own lines may have alone (`event_type`): a foreign line taken costs less than one of its own lost."""


def _took(name: str, lines: list[tuple[str, str]]) -> list[str]:
    """Whose of these (owner, line) the source reads as its own."""
    found = documents(SOURCES[name], [line for _, line in lines])
    return [owner for (owner, _), document in zip(lines, found, strict=True) if document]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_that_is_asked_for_takes_no_other_products_example_lines(name: str) -> None:
    """`hinomi parse --source` gives `{}` for the example lines of all other sources; for its own it does not."""
    cases = [(case.source, case.raw) for case in content.cases() if case.ecs]
    assert set(_took(name, [case for case in cases if case[0] != name])) <= ONE_FORMAT.get(name, set())
    own = [case for case in cases if case[0] == name]
    assert len(_took(name, own)) == len(own)


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_that_is_asked_for_leaves_other_products_lines(name: str) -> None:
    """The same over the corpus: before, several of these took every JSON line of a thousand."""
    lines = [
        (MAPPING[product], json.loads(line)["message"])
        for product in sorted(MAPPING)
        if MAPPING[product] != name and (shared.corpus("intake") / f"{product}.jsonl").exists()
        for line in (shared.corpus("intake") / f"{product}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(_took(name, lines)) <= _MOST
