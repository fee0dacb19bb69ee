"""The ordinary part of the day, whole: nothing in it may look like an attack."""

import re
from collections import Counter, defaultdict

import pytest

from ops.demo.city import hinomi
from tests.ops.demo.reading import WHEN, documents, pairs, table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ordinary")]


def _failures(ordinary: dict[str, list[bytes]]) -> list[tuple[str, str]]:
    """(user, address or machine) of every failed sign-in in any source."""
    failures = []
    for line in ordinary["fortinet.fortigate"]:
        if b"ssl-login-fail" in line:
            failures.append((pairs(line)["user"], pairs(line)["remip"]))
    for line in ordinary["windows.eventlog"]:
        if b'"code":"4625"' in line:
            entry = documents([line])[0]
            failures.append((entry["winlog"]["event_data"]["TargetUserName"], entry["host"]["name"]))
    for entry in documents(ordinary["microsoft.entra"]):
        if entry["resultType"] != "0":
            user = entry["properties"]["userPrincipalName"].split("@")[0]
            failures.append((user, entry["callerIpAddress"]))
    for line in ordinary["linux.auth"]:
        if found := re.search(rb"Failed password for (\S+) from (\S+)", line):
            failures.append((found[1].decode(), found[2].decode()))
    return failures


def test_people_mistype_now_and_then(ordinary: dict[str, list[bytes]]) -> None:
    """Dozens of failures, at most two a person, one person an address; at the portal too."""
    failures = _failures(ordinary)
    assert len(failures) >= 40
    assert max(Counter(user for user, _ in failures).values()) <= 2
    people: dict[str, set[str]] = defaultdict(set)
    for user, place in failures:
        people[place].add(user)
    assert max(map(len, people.values())) == 1
    refused = [row for row in table(ordinary["city.portal_application"]) if row["結果"] == "失敗"]
    assert refused
    assert max(Counter(row["利用者ID"] for row in refused).values()) <= 2


def test_the_attackers_are_nowhere(ordinary: dict[str, list[bytes]]) -> None:
    """No line has an attacker's address, network or the VPN address of the foothold."""
    marks = (b"203.0.113.", b"10.50.3.17", b"attacker", b"adm.sato", b"PSEXESVC", "対話ログオン".encode())
    for source, lines in ordinary.items():
        assert not [line for line in lines if any(mark in line for mark in marks)], source


def test_everyone_signs_in_from_japan(ordinary: dict[str, list[bytes]]) -> None:
    """VPN and cloud sign-ins come from domestic networks, one address a person in the VPN."""
    assert {entry["location"] for entry in documents(ordinary["microsoft.entra"])} == {"JP"}
    homes: dict[str, set[str]] = defaultdict(set)
    for line in ordinary["fortinet.fortigate"]:
        if b'logid="0101039947"' in line:
            homes[pairs(line)["user"]].add(pairs(line)["remip"])
    assert len(homes) >= 50
    assert all(len(homes[user]) == 1 for user in homes)
    assert len({address for addresses in homes.values() for address in addresses}) == len(homes)
    assert all(address.startswith(("192.0.2.", "198.18.")) for home in homes.values() for address in home)


def test_the_victim_is_on_leave_until_evening(ordinary: dict[str, list[bytes]]) -> None:
    """t.yamada leaves no trace in the VPN or the cloud before 18:40, so no journey is told by dull lines."""
    for source in ("fortinet.fortigate", "microsoft.entra", "microsoft.m365_audit", "windows.eventlog"):
        mark = re.compile(rb"\bt\.yamada[@\"]")
        times = [WHEN[source](line) for line in ordinary[source] if mark.search(line)]
        assert all(time.astimezone().timestamp() >= 1_795_167_600 for time in times), source


def test_only_allowed_flows_enter_the_inner_segments(ordinary: dict[str, list[bytes]]) -> None:
    """The segment firewall builds DNS, NTP and file gateway into LGWAN, nothing into My Number."""
    into = set()
    for line in ordinary["cisco.asa"]:
        found = re.search(
            rb"Built inbound \w+ connection \d+ for \w+:(\S+)/\d+ \(.+ to (\w+):(\S+)/(\d+) ", line
        )
        if found and found[2] in (b"lgwan", b"mynumber"):
            into.add((found[1].decode(), found[2].decode(), int(found[4])))
    assert into == {("10.30.1.5", "lgwan", 53), ("10.30.1.5", "lgwan", 123), ("10.30.1.40", "lgwan", 443)}


def test_nobody_scans(ordinary: dict[str, list[bytes]]) -> None:
    """Refused are only the old print server (segments) and QUIC to four sites (perimeter)."""
    targets: dict[str, set[str]] = defaultdict(set)
    for line in ordinary["cisco.asa"]:
        if found := re.search(rb"Deny \w+ src \w+:(\S+)/\d+ dst \w+:(\S+) ", line):
            targets[found[1].decode()].add(found[2].decode())
    for line in ordinary["fortinet.fortigate"]:
        if b'action="deny"' in line:
            found_pairs = pairs(line)
            targets[found_pairs["srcip"]].add(f"{found_pairs['dstip']}/{found_pairs['dstport']}")
    sites = {f"198.18.5.{last}/443" for last in range(10, 14)}
    assert {target for refused in targets.values() for target in refused} == {"10.20.1.36/137", *sites}
    assert len(targets) > 100


def test_cloud_work_is_ordinary(ordinary: dict[str, list[bytes]]) -> None:
    """At most twelve downloads a person, no forwarding, no link for anyone."""
    records = documents(ordinary["microsoft.m365_audit"])
    downloads = Counter(record["UserId"] for record in records if record["Operation"] == "FileDownloaded")
    assert max(downloads.values()) <= 12
    assert not [record for record in records if record["Operation"].startswith("Anonymous")]
    rules = [record for record in records if record["Operation"] == "New-InboxRule"]
    assert rules
    assert not [rule for rule in rules for item in rule["Parameters"] if "Forward" in item["Name"]]


def test_windows_groups_services_and_robots_are_ordinary(ordinary: dict[str, list[bytes]]) -> None:
    """No privileged group, no new service, no cleared log; robots only by schedule, never at a keyboard."""
    privileged = re.compile("admin|operator|管理者", re.IGNORECASE)
    for entry in documents(ordinary["windows.eventlog"]):
        code, data = entry["winlog"]["event_id"], entry["winlog"].get("event_data", {})
        assert code not in {"1102", "7045"}
        if code == "4728":
            assert not privileged.search(data["TargetUserName"])
        if code == "4624":
            user, kind = data["TargetUserName"], data["LogonType"]
            assert kind != "10"
            assert kind == "4" if user.startswith("rpa") else kind in {"2", "3", "5", "7"}


def test_residents_are_viewed_within_normal_volume(ordinary: dict[str, list[bytes]]) -> None:
    """Few residents a look; no clerk sees sixty in an hour; each at a terminal of the own department."""
    hours: Counter[tuple[str, str]] = Counter()
    city = hinomi()
    for row in table(ordinary["city.resident_view"], "cp932"):
        assert 1 <= int(row["照会件数"]) <= 4
        assert city.hosts[row["端末名"]].ip == row["端末IP"]
        assert city.hosts[row["端末名"]].department == row["所属"] == city.person(row["職員ID"]).department
        hours[row["職員ID"], row["操作日時"][:13]] += int(row["照会件数"])
    assert max(hours.values()) < 60
    assert sum(hours.values()) > 3_000


def test_the_office_is_busy_by_day(ordinary: dict[str, list[bytes]]) -> None:
    """Ten o'clock is at least twenty times as busy as three in the morning for what people do."""
    for source in ("squid.access", "isc.bind", "microsoft.m365_audit"):
        hours = Counter(
            WHEN[source](line).astimezone(WHEN["squid.access"](b"0 ").tzinfo).hour
            for line in ordinary[source]
        )
        assert hours[10] > 20 * max(hours[3], 1), source
