"""What a queue of several products brings goes to the source that reads it, and what none reads stays searchable."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors import catalogue
from collectors.parse import documents
from collectors.pulls.aws_s3 import FOLDERS, AwsS3
from collectors.pulls.azure_event_hubs import AzureEventHubs
from collectors.pulls.google_pubsub import GooglePubSub
from collectors.pulls.pull import Pull
from collectors.pulls.routes import OTHERS, Routes, of_others
from tests.collectors import content

HUB = {"kind": "azure_event_hubs", "connection_string": "env:HUB", "hub": "logs"}
TOPIC = {"kind": "google_pubsub", "key": "env:KEY", "subscription": "projects/p/subscriptions/s"}
QUEUE = {"kind": "aws_s3", "queue": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/logs"}
AZURE = AzureEventHubs.model_validate(HUB)
PUBSUB = GooglePubSub.model_validate(TOPIC)


def exported(sources: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Source and record of every case of these sources that the source reads and that is one JSON object."""
    for case in content.cases():
        if case.source in sources and case.rejected is None:
            try:
                record = json.loads(case.raw)
            except json.JSONDecodeError:
                continue
            if isinstance(record, dict):
                yield case.source, record


def test_azure_records_go_to_the_source_that_reads_them() -> None:
    """Every exported record in the sources' own test files: Entra's risks, Defender's tables, Intune's audit, firewalls."""
    own = AZURE.sources() - {OTHERS}
    sent = [
        (source, record)
        for source, record in exported(own)
        if isinstance(record.get("category"), str) and "properties" in record
    ]
    assert {source for source, _ in sent} == own
    assert [record for source, record in sent if AZURE.source_of(record) != source] == []


@pytest.mark.parametrize(
    ("category", "source"),
    [
        ("UserRiskEvents", "microsoft.entra"),
        ("ServicePrincipalRiskEvents", "microsoft.entra"),
        ("RiskyUsers", "microsoft.entra"),
        ("RiskyServicePrincipals", "microsoft.entra"),
        ("ProvisioningLogs", "microsoft.entra"),
        ("MicrosoftGraphActivityLogs", "microsoft.entra"),
        ("ADFSSignInLogs", "microsoft.entra"),
        ("AdvancedHunting-AlertInfo", "microsoft.defender_xdr"),
        ("AdvancedHunting-DeviceProcessEvents", "microsoft.defender_xdr"),
        ("AzureFirewallNetworkRule", "microsoft.azure_web"),
        ("StorageRead", "microsoft.azure_web"),
        ("FlowLogFlowEvent", OTHERS),
        ("AppServiceHTTPLogs", OTHERS),
        ("NobodyKnowsThis", OTHERS),
    ],
)
def test_no_azure_category_is_read_as_nothing(category: str, source: str) -> None:
    """Each is parsed by where it goes; all its values stand in the document under some name."""
    record = {
        "time": "2026-11-20T03:14:05Z",
        "category": category,
        "operationName": "op",
        "tenantId": "11111111-1111-1111-1111-111111111111",
        "properties": {"Timestamp": "2026-11-20T03:14:05Z", "clue": "needle"},
    }
    assert AZURE.source_of(record) == source
    (document,) = documents(catalogue.find(source), [json.dumps(record)])
    assert "@timestamp" in document and "needle" in json.dumps(document)


def test_azure_records_without_a_category() -> None:
    """Metrics are no activity log; what its API writes is, and what is no JSON stays with the pull's own format."""
    assert AZURE.source_of({"metricName": "Transactions", "resourceId": "/S/1"}) == OTHERS
    assert AZURE.source_of({"eventTimestamp": "2026-11-20T03:14:05Z"}) == ""
    assert AZURE.source_of(None) == ""
    assert AZURE.source_of({"Category": "StorageRead"}) == "microsoft.azure_web"


def test_google_entries_go_to_the_source_that_reads_them() -> None:
    """Every log entry in the sources' own test files; audit entries there are cut to their payload, without a log's name."""
    own = PUBSUB.sources() - {OTHERS}
    sent = [
        (source, record)
        for source, record in exported(own)
        if "logName" in record or (isinstance(record.get("resource"), dict) and "protoPayload" not in record)
    ]
    assert {source for source, _ in sent} == own - {"google.cloud_audit"}
    wrong = [record for source, record in sent if PUBSUB.source_of(json.dumps(record).encode()) != source]
    assert wrong == []


@pytest.mark.parametrize(
    ("log", "source"),
    [
        ("projects/p/logs/cloudaudit.googleapis.com%2Factivity", "google.cloud_audit"),
        ("organizations/1/logs/cloudaudit.googleapis.com%2Fdata_access", "google.cloud_audit"),
        ("projects/p/logs/compute.googleapis.com%2Fvpc_flows", "google.vpc_flow"),
        ("projects/p/logs/compute.googleapis.com%2Ffirewall", "google.cloud_firewall"),
        ("projects/p/logs/dns.googleapis.com%2Fdns_queries", "google.cloud_dns"),
        ("projects/p/logs/requests", "google.cloud_load_balancing"),
        ("projects/p/logs/run.googleapis.com%2Frequests", OTHERS),
        ("", OTHERS),
    ],
)
def test_google_logs(log: str, source: str) -> None:
    """By the last part of the log's name, which is URL-encoded."""
    assert PUBSUB.source_of(json.dumps({"logName": log}).encode()) == source


def test_what_is_no_log_entry() -> None:
    """Text, lists and objects without a log's name stay with the pull's own format, which says what is wrong."""
    none = (b"text", b"[1]", b"\xff", b'{"user":"a"}')
    assert {PUBSUB.source_of(one) for one in none} == {"google.cloud_audit"}


def test_a_format_that_a_person_wrote_is_that_of_other_logs() -> None:
    """A city's own mapping reads its own application's records, as long as `others` names nothing else; what a name in
    the table fits goes there all the same."""
    own = {"source": "city.app"}
    hub, topic = AzureEventHubs.model_validate(HUB | own), GooglePubSub.model_validate(TOPIC | own)
    assert {hub.source_of(one) or hub.source for one in ({"user": "a"}, {"category": "MyApp"})} == {
        "city.app"
    }
    assert hub.source_of({"category": "StorageRead"}) == "microsoft.azure_web"
    entries = (b'{"user":"a"}', b'{"logName":"projects/p/logs/my-app"}')
    assert {topic.source_of(one) for one in entries} == {"city.app"}
    assert {one.origins("own").get("city.app") for one in (hub, topic)} == {"own"}
    assert OTHERS not in hub.sources() | topic.sources()


@pytest.mark.parametrize(("kind", "given"), [(AzureEventHubs, HUB), (GooglePubSub, TOPIC), (AwsS3, QUEUE)])
@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({}, OTHERS),
        ({"source": "city.app"}, "city.app"),
        ({"others": "generic.text"}, "generic.text"),
        ({"source": "city.app", "others": "generic.text"}, "generic.text"),
    ],
)
def test_the_format_of_other_logs(
    kind: type[Pull], given: dict[str, str], more: dict[str, str], source: str
) -> None:
    """`others` where it is written, else `source` where that is, else the form that keeps every value; it has an origin."""
    pull = kind.model_validate(given | more)
    assert of_others(pull, more.get("others", OTHERS)) == source
    assert source in pull.sources() and source in pull.origins("own")


def test_every_named_source_is_there() -> None:
    """A name in these tables that is no source would make dead letters of all its records."""
    assert {*AZURE.sources(), *PUBSUB.sources(), *FOLDERS.values()} <= set(catalogue.sources())


def test_remembered_names_have_a_bound() -> None:
    """A queue whose records make up names costs no memory."""
    routes = Routes({"a*": "one"})
    assert [routes.of(f"a{n}") for n in range(3_000)] == ["one"] * 3_000
    assert len(routes._known) == 1_000
    assert routes.of("b") == ""


def test_alerts_have_a_source_of_their_own(tmp_path: Path) -> None:
    """Beside Entra ID's logs in one pull."""
    from tests.collectors.pulls.city import graph

    pull = graph(tmp_path).pull("https://graph.example.jp", tmp_path, logs=["signIns", "alerts_v2"])
    assert pull.origins("graph") == {
        "microsoft.entra_graph": "graph",
        "microsoft.defender_xdr": "graph.defender_xdr",
    }
