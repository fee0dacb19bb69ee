"""Rules in Sigma's names on lines as the products write them, through our sources: the tables join the two."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from collectors import catalogue
from collectors.source import ROW
from tests.collectors import content
from tests.rules.engine import rulebook

_APACHE = (
    '203.0.113.9 - - [20/Nov/2026:03:12:09 +0900] "GET /cgi-bin/x.cgi?cmd=id HTTP/1.1" 200 512 '
    '"http://example.jp/" "sqlmap/1.7"'
)
_APACHE_ERROR = (
    "[Fri Nov 20 03:12:09.000000 2026] [core:error] [pid 9] [client 203.0.113.9:4] AH00126: Invalid URI"
)
_NGINX = '203.0.113.9 - - [20/Nov/2026:03:12:09 +0900] "POST /a.php?x=1 HTTP/1.1" 500 5 "-" "curl/8.0" "-"'
_IIS = "2026-11-20 03:12:09 192.0.2.8 POST /ews/a.aspx x=1 443 - 203.0.113.9 python - 200 0 0 15"
_SYSMON_LINUX = (
    "2026-06-08T05:28:19.188419+00:00 web01 sysmon: <Event><System>"
    '<Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/><EventID>1</EventID>'
    '<TimeCreated SystemTime="2026-06-08T05:28:19.188276000Z"/><EventRecordID>1</EventRecordID>'
    "<Channel>Linux-Sysmon/Operational</Channel><Computer>web01</Computer></System><EventData>"
    '<Data Name="Image">/usr/bin/base64</Data><Data Name="CommandLine">base64 -d x</Data></EventData></Event>'
)
_AUDITBEAT = {
    "@timestamp": "2026-11-20T03:14:05.000Z",
    "agent": {"type": "auditbeat"},
    "host": {"os": {"type": "macos"}},
    "event": {"module": "system", "kind": "event", "category": ["process"], "type": ["start"]},
    "process": {"executable": "/usr/bin/nc", "args": ["nc", "-l", "4444"]},
}
_SOCKET = {
    "@timestamp": "2026-11-20T03:14:05.000Z",
    "agent": {"type": "auditbeat"},
    "event": {"module": "system", "kind": "event", "category": ["network"], "type": ["connection"]},
    "network": {"direction": "egress"},
    "destination": {"ip": "203.0.113.9", "port": 4444},
}
_CISCO = "192.0.2.10 6705: Feb 17 13:40:03.673: %PARSER-5-CFGLOG_LOGGEDCMD: User:x  logged command:no logging"
_ACTIVITY = {
    "operationName": {"value": "Microsoft.Network/dnsZones/write"},
    "category": {"value": "Administrative"},
    "resourceProviderName": {"value": "Microsoft.Network"},
    "eventTimestamp": "2026-11-20T03:12:09Z",
    "eventDataId": "1",
    "resourceId": "/subscriptions/1/dnszones/example.jp",
}
_DIAGNOSTIC = {
    "time": "2026-11-20T03:12:09Z",
    "operationName": "MICROSOFT.NETWORK/DNSZONES/WRITE",
    "category": "Administrative",
    "identity": {"claims": {}},
    "resourceId": "/subscriptions/1",
}
_GCP = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "accesscontextmanager.googleapis.com",
        "methodName": "google.x.DeletePolicy",
        "authorizationInfo": [{"permission": "policies.delete", "granted": True}, {"permission": "a.b"}],
    },
    "timestamp": "2026-11-20T03:12:09Z",
}
_WORKSPACE = {
    "kind": "admin#reports#activity",
    "id": {"time": "2026-11-20T03:12:09Z", "applicationName": "admin", "customerId": "C1"},
    "actor": {"email": "x@city.example.jp"},
    "events": [
        {
            "name": "ENFORCE_STRONG_AUTHENTICATION",
            "parameters": [{"name": "NEW_VALUE", "value": "false"}, {"name": "X", "value": "y"}],
        }
    ],
}
_GRAPH = {
    "id": "Directory_1",
    "category": "UserManagement",
    "activityDateTime": "2026-11-20T03:12:09Z",
    "activityDisplayName": "Update user",
    "loggedByService": "Core Directory",
    "result": "success",
    "initiatedBy": {"user": {"userPrincipalName": "x@city.example.jp"}},
    "targetResources": [
        {
            "type": "User",
            "modifiedProperties": [
                {"displayName": "StrongAuthenticationRequirement", "newValue": '[{"State":0}]'}
            ],
        }
    ],
}
_DUO = {"eventtype": "authentication", "txid": "1", "event_type": "authentication", "reason": "bypass_user"}
_CANARY = {"logtype": 5001, "node_id": "canary-1", "dst_host": "192.0.2.4", "utc_time": "2026-11-20 03:12:09"}
_ZEEK = {
    "_path": "dns",
    "ts": 1795144329.3,
    "id.orig_h": "192.0.2.4",
    "query": "evil.example.jp",
    "qtype_name": "A",
}
_EXECVE = 'type=EXECVE msg=audit(1763608445.123:4712): argc=3 a0="curl" a1="-o" a2=2F746D702F612062'
_PATH = 'type=PATH msg=audit(1763608445.123:4711): item=0 name="/etc/pam.d/x" inode=131 nametype=CREATE'
_CRON = "<78>Nov 20 03:14:05 web01 crontab[99]: (root) REPLACE (root)"
_BITBUCKET = {
    "auditType": {"category": "Global administration", "action": "User renamed"},
    "timestamp": 1795144329,
}
_ONELOGIN = {"event_type_id": 11, "user_name": "x", "account_id": 7}

CASES: list[tuple[str, str | dict[str, Any], dict[str, str], dict[str, Any]]] = [
    (
        "apache.httpd",
        _APACHE,
        {"category": "webserver"},
        {"cs-uri-query|contains": "/cgi-bin/x.cgi?cmd=", "sc-status": 200},
    ),
    (
        "apache.httpd",
        _APACHE,
        {"category": "webserver"},
        {"cs-user-agent|contains": "sqlmap", "cs-referer|contains": "example.jp"},
    ),
    (
        "apache.httpd",
        _APACHE,
        {"category": "webserver"},
        {"cs-uri-stem|endswith": ".cgi", "c-ip|cidr": "203.0.113.0/24"},
    ),
    ("apache.httpd", _APACHE_ERROR, {"service": "apache"}, {"": "AH00126"}),
    (
        "nginx.web",
        _NGINX,
        {"category": "webserver"},
        {"cs-uri-query|endswith": "a.php?x=1", "sc-status": 500, "cs-method": "POST"},
    ),
    (
        "microsoft.iis",
        _IIS,
        {"category": "webserver"},
        {"cs-uri-query|contains": "a.aspx", "cs-uri-stem|endswith": "a.aspx"},
    ),
    (
        "windows.eventlog",
        _SYSMON_LINUX,
        {"product": "linux", "category": "process_creation"},
        {"Image|endswith": "/base64", "CommandLine|contains": " -d "},
    ),
    (
        "elastic.auditbeat",
        _AUDITBEAT,
        {"product": "linux", "category": "process_creation"},
        {"Image|endswith": "/nc", "CommandLine|contains": "-l"},
    ),
    (
        "elastic.auditbeat",
        _AUDITBEAT,
        {"product": "macos", "category": "process_creation"},
        {"Image|endswith": "/nc", "CommandLine|contains": "-l"},
    ),
    (
        "elastic.auditbeat",
        _SOCKET,
        {"product": "linux", "category": "network_connection"},
        {"Initiated": "true", "DestinationPort": 4444},
    ),
    ("cisco.ios", _CISCO, {"product": "cisco", "service": "aaa"}, {"": "no logging"}),
    ("cisco.ios", _CISCO, {"product": "cisco", "service": "syslog"}, {"": "PARSER-5-CFGLOG_LOGGEDCMD"}),
    (
        "cisco.duo",
        _DUO,
        {"product": "cisco", "service": "duo"},
        {"event_type": "authentication", "reason": "bypass_user"},
    ),
    (
        "microsoft.azure_activity",
        _ACTIVITY,
        {"product": "azure", "service": "activitylogs"},
        {"operationName": "MICROSOFT.NETWORK/DNSZONES/WRITE", "CategoryValue": "Administrative"},
    ),
    (
        "microsoft.azure_activity",
        _ACTIVITY,
        {"product": "azure", "service": "activitylogs"},
        {"ResourceProviderValue": "Microsoft.Network", "ResourceId|contains": "dnszones"},
    ),
    (
        "microsoft.azure_activity",
        _DIAGNOSTIC,
        {"product": "azure", "service": "activitylogs"},
        {"CategoryValue": "Administrative", "operationName|endswith": "/WRITE"},
    ),
    (
        "google.cloud_audit",
        _GCP,
        {"product": "gcp", "service": "gcp.audit"},
        {
            "data.protoPayload.authorizationInfo.permission": "policies.delete",
            "data.protoPayload.authorizationInfo.granted": "true",
        },
    ),
    (
        "google.cloud_audit",
        _GCP,
        {"product": "gcp", "service": "gcp.audit"},
        {
            "gcp.audit.method_name|endswith": "DeletePolicy",
            "data.protoPayload.serviceName|startswith": "access",
        },
    ),
    (
        "google.workspace",
        _WORKSPACE,
        {"product": "gcp", "service": "google_workspace.admin"},
        {
            "eventService": "admin.googleapis.com",
            "eventName": "ENFORCE_STRONG_AUTHENTICATION",
            "new_value": "false",
        },
    ),
    (
        "microsoft.entra_graph",
        _GRAPH,
        {"product": "azure", "service": "auditlogs"},
        {
            "TargetResources.ModifiedProperties.DisplayName": "StrongAuthenticationRequirement",
            "TargetResources.ModifiedProperties.NewValue|contains": 'State":0',
        },
    ),
    (
        "microsoft.entra_graph",
        _GRAPH,
        {"product": "azure", "service": "auditlogs"},
        {"targetResources.type": "User", "Category": "UserManagement"},
    ),
    ("generic.json", _CANARY, {"product": "opencanary", "category": "application"}, {"logtype": 5001}),
    ("thinkst.canary", _CANARY, {"product": "opencanary", "category": "application"}, {"logtype": 5001}),
    (
        "zeek.log",
        _ZEEK,
        {"product": "zeek", "service": "dns"},
        {"query|endswith": ".example.jp", "qtype_name": "A"},
    ),
    (
        "generic.json",
        _BITBUCKET,
        {"product": "bitbucket", "service": "audit"},
        {"auditType.action": "User renamed", "auditType.category": "Global administration"},
    ),
    ("generic.json", _ONELOGIN, {"product": "onelogin", "service": "onelogin.events"}, {"event_type_id": 11}),
    (
        "linux.auditd",
        _EXECVE,
        {"product": "linux", "service": "auditd"},
        {"type": "EXECVE", "a0": "curl", "a2": "/tmp/a b"},
    ),
    (
        "linux.auditd",
        _EXECVE,
        {"product": "linux", "category": "process_creation"},
        {"CommandLine|contains": "curl -o"},
    ),
    (
        "linux.auditd",
        _PATH,
        {"product": "linux", "service": "auditd"},
        {"type": "PATH", "name|startswith": "/etc/pam.d/", "nametype": "CREATE"},
    ),
    (
        "linux.auditd",
        _PATH,
        {"product": "linux", "category": "file_event"},
        {"TargetFilename": "/etc/pam.d/x"},
    ),
    ("generic.syslog", _CRON, {"product": "linux", "service": "cron"}, {"": "REPLACE"}),
    ("generic.syslog", _CRON, {"product": "linux"}, {"": "REPLACE"}),
]


@pytest.mark.parametrize(("source", "line", "logsource", "detection"), CASES)
def test_a_rule_finds_the_products_line(
    tmp_path: Path,
    source: str,
    line: str | dict[str, Any],
    logsource: dict[str, str],
    detection: dict[str, Any],
) -> None:
    """The rule finds the line, and does not where any one of its fields says something else."""
    raw = line if isinstance(line, str) else orjson.dumps(line).decode()
    [frame] = catalogue.find(source).parse(content.intake(raw)).frames
    event = {**content.flat(frame.drop(ROW)), "event.original": raw}
    searches = [detection, *({**detection, name: _other(name)} for name in detection)]
    written = [
        rulebook.rule(
            {"sel": list(sel.values()) if "" in sel else sel, "condition": "sel"},
            logsource=logsource,
            id=f"{n}1111111-2222-4333-8444-555555555555",
        )
        for n, sel in enumerate(searches)
    ]
    loaded = rulebook.rules(tmp_path, *written)
    assert not loaded.problems
    hits = loaded.match(rulebook.batch([event], source)).hits
    assert [(rule.id[0], rows.tolist()) for rule, rows in hits] == [("0", [0])]
    assert source in loaded.rules[0].feeds


def _moved() -> list[tuple[str, int | str]]:
    path = Path(content.__file__).parents[2] / "collectors" / "sources" / "thinkst_canary.source.yml"
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))["fields"]
    kinds = {name: to.get("type") if isinstance(to, dict) else None for name, to in fields.items()}
    values: dict[str | None, int | str] = {"ip": "203.0.113.9", "integer": 404, None: "/x"}
    return [(name, values[kind]) for name, kind in kinds.items() if kind != "time"]


@pytest.mark.parametrize(("name", "value"), _moved())
def test_what_a_decoy_says_is_found_by_its_own_name(tmp_path: Path, name: str, value: int | str) -> None:
    """Every field that the source moves."""
    record: dict[str, Any] = {"logtype": 5001, "node_id": "canary-1", "utc_time": _CANARY["utc_time"]}
    outer, _, inner = name.partition(".")
    record[outer] = {inner: value} if inner else value
    where = {"product": "opencanary", "category": "application"}
    test_a_rule_finds_the_products_line(tmp_path, "thinkst.canary", record, where, {name: value})


def _other(name: str) -> Any:
    return "198.51.100.0/24" if "cidr" in name else "somebody else's"
