"""Every planted step stands in the raw lines: at its time, with its addresses, as often as told."""

import datetime
import json
import re
from typing import Any

import pytest

from ops.demo.scenario import Manifest, Scenario
from tests.ops.demo.conftest import DATE
from tests.ops.demo.reading import WHEN, documents, pairs, table

ATTACKER, ACCOMPLICE, INSIDE = "203.0.113.66", "203.0.113.77", "10.50.3.17"


def _planted(written: Manifest) -> dict[str, Any]:
    return {step["id"]: step for step in json.loads(written.planted.read_text(encoding="utf-8"))}


def _within(step: Any, when: datetime.datetime) -> bool:
    start, end = (datetime.datetime.fromisoformat(step[key]) for key in ("start", "end"))
    return start <= when <= end


def test_every_planted_line_is_in_its_stream_and_time(
    small: dict[str, list[bytes]], written: Manifest
) -> None:
    """The lines that a step made are in the stream, all of the main source inside the told times."""
    told = _planted(written)
    for step in Scenario(DATE, scale=0.02).steps():
        for source, lines in step.lines.items():
            stream = set(small[source])
            assert all(line.line in stream for line in lines), (step.id, source)
            if source == step.source:
                assert all(_within(told[step.id], WHEN[source](line.line)) for line in lines), step.id
        for record in step.records:
            moment = datetime.datetime.fromtimestamp(record.at / 1000, datetime.UTC)
            assert _within(told[step.id], moment), (step.id, record)


def test_spray_is_wide_and_shallow(small: dict[str, list[bytes]], written: Manifest) -> None:
    """A1: from one address, sixteen accounts three times each; any ten minutes hold eight accounts."""
    failures = [
        pairs(line) | {"when": WHEN["fortinet.fortigate"](line).isoformat()}
        for line in small["fortinet.fortigate"]
        if b"ssl-login-fail" in line and ATTACKER.encode() in line
    ]
    users = [failure["user"] for failure in failures]
    assert len(set(users)) == 16
    assert all(users.count(user) == 3 for user in users)
    assert len(users) == _planted(written)["A1"]["lines"]
    times = [datetime.datetime.fromisoformat(failure["when"]) for failure in failures]
    assert times[-1] - times[0] > datetime.timedelta(minutes=30)
    for start in times[:-16]:
        window = start, start + datetime.timedelta(minutes=10)
        assert (
            len({user for user, time in zip(users, times, strict=True) if window[0] <= time < window[1]}) >= 8
        )


def test_the_way_in_is_an_impossible_journey(small: dict[str, list[bytes]]) -> None:
    """A2: the telephone in Japan at 02:20, the tunnel from abroad at 03:14 with its inner address."""
    sign_ins = [
        entry for entry in documents(small["microsoft.entra"]) if entry["callerIpAddress"] == "192.0.2.45"
    ]
    assert sign_ins[0]["location"] == "JP"
    assert sign_ins[0]["time"].startswith("2026-11-19T17:20")
    assert sign_ins[0]["properties"]["userPrincipalName"].startswith("t.yamada@")
    tunnels = [pairs(line) for line in small["fortinet.fortigate"] if b'logid="0101039947"' in line]
    abroad = [tunnel for tunnel in tunnels if tunnel["remip"] == ATTACKER]
    assert [(one["user"], one["tunnelip"], one["time"]) for one in abroad] == [
        ("t.yamada", INSIDE, "03:14:09")
    ]


def test_scan_touches_many_destinations(small: dict[str, list[bytes]]) -> None:
    """A3: more than forty address and port pairs of the LGWAN segment are refused."""
    denied = re.compile(rf"Deny tcp src inet:{re.escape(INSIDE)}/\d+ dst lgwan:([\d.]+/\d+) ")
    targets = {match[1] for line in small["cisco.asa"] if (match := denied.search(line.decode()))}
    assert len(targets) == 120


def test_lateral_movement_ends_as_domain_administrator(small: dict[str, list[bytes]]) -> None:
    """A4, A5, A7: fifteen failures before the success, the service, the group, the cleared log, in order."""
    told = []
    for entry in documents(small["windows.eventlog"]):
        code, data = entry["winlog"]["event_id"], entry["winlog"].get("event_data", {})
        host = entry["host"]["name"].split(".")[0]
        if data.get("TargetUserName") == "adm.sato" or code in {"7045", "1102"}:
            told.append((code, host))
        if code == "4728" and data["TargetUserName"] == "Domain Admins":
            assert "山田 太郎" in data["MemberName"]
            assert data["SubjectUserName"] == "adm.sato"
            told.append((code, host))
    assert told == [
        *[("4625", "srv-app01")] * 15,
        *[("4624", "srv-app01")] * 2,
        ("7045", "srv-app01"),
        ("4624", "dc01"),
        ("4728", "dc01"),
        ("1102", "pc-0417"),
    ]


def test_remote_desktop_comes_from_the_vpn_address(small: dict[str, list[bytes]]) -> None:
    """A4: logon type 10 as the victim on pc-0417."""
    logons = [
        entry["winlog"]["event_data"]
        for entry in documents(small["windows.eventlog"])
        if entry["winlog"]["event_id"] == "4624" and entry["host"]["name"].startswith("pc-0417.")
    ]
    remote = [data for data in logons if data["LogonType"] == "10"]
    assert [(data["TargetUserName"], data["IpAddress"]) for data in remote] == [("t.yamada", INSIDE)]


def test_lgwan_file_server_is_reached_from_the_pc(small: dict[str, list[bytes]]) -> None:
    """A6: built connections to port 445 of srv-file01 from pc-0417's address."""
    built = [line for line in small["cisco.asa"] if b"302013" in line and b"lgwan:10.20.1.20/445" in line]
    assert len(built) == 8
    assert all(b"for inet:10.30.9.171/" in line for line in built)


def test_cloud_theft(small: dict[str, list[bytes]]) -> None:
    """A8–A10: the forwarding rule, 240 downloads, the anonymous link and its use from the second address."""
    records = [
        record for record in documents(small["microsoft.m365_audit"]) if "203.0.113." in record["ClientIP"]
    ]
    operations = [record["Operation"] for record in records]
    assert operations == [
        "UserLoggedIn",
        "New-InboxRule",
        *["FileDownloaded"] * 240,
        "AnonymousLinkCreated",
        "AnonymousLinkUsed",
    ]
    parameters = {item["Name"]: item["Value"] for item in records[1]["Parameters"]}
    assert parameters["ForwardTo"] == "attacker@mail.example.net"
    assert len({record["SourceFileName"] for record in records[2:242]}) == 240
    assert records[-1]["ClientIP"] == ACCOMPLICE


def test_robot_misuse(small: dict[str, list[bytes]]) -> None:
    """B1, B2: a keyboard logon as rpa02, and 1,200 residents within twenty minutes."""
    robots = table(small["city.rpa_operation"])
    misused = [row for row in robots if row["操作"] == "対話ログオン"]
    assert [(row["実行アカウント"], row["端末"]) for row in misused] == [("rpa02", "pc-0233")]
    views = [
        row
        for row in table(small["city.resident_view"], "cp932")
        if row["端末名"] == "jt-021" and row["職員ID"] == "rpa02"
    ]
    assert sum(int(row["照会件数"]) for row in views) == 1_200
    assert views[0]["操作日時"] == "2026/11/20 13:10:15"
    assert views[-1]["操作日時"] < "2026/11/20 13:30:00"


@pytest.mark.parametrize("date", ["2026-01-05", "2028-02-29", "2026-12-31"])
def test_other_dates_hold_the_same_story(date: str) -> None:
    """Month ends, a leap day and one-digit days change the dates in the lines and nothing else."""
    scenario = Scenario(datetime.date.fromisoformat(date), scale=0.001)
    assert [step.counts() for step in scenario.steps()] == [step.counts() for step in Scenario(DATE).steps()]
    lines = {stream.source: list(stream.lines) for stream in scenario.streams()}
    assert all(f"date={date} ".encode() in line for line in lines["fortinet.fortigate"])
    if date == "2026-01-05":
        assert all(line.split(b">", 1)[1].startswith(b"Jan  5 ") for line in lines["cisco.asa"])
