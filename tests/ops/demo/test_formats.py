"""Every line has the form that its product writes, and every stream is in time order within the day."""

import datetime
import re

import pytest

from ops.demo.scenario import CHANNELS
from tests.ops.demo.conftest import DATE
from tests.ops.demo.reading import JST, WHEN, documents, pairs, table

_IP = r"(?:\d{1,3}\.){3}\d{1,3}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+09:00"
_SIDE = rf"(?:inet|lgwan|mynumber|gcloud):{_IP}/\d+"
FORMS = {
    "fortinet.fortigate": r'<1[89]\d>date=2026-11-20 time=\d\d:\d\d:\d\d devname="fw-edge01" devid="FG\w+" '
    r'eventtime=\d{19} tz="\+0900" logid="\d{10}" type="(?:traffic|event|utm)" subtype="\w+" .+',
    "cisco.asa": r"<16[4-6]>Nov 20 \d\d:\d\d:\d\d fw-seg01 %ASA-[456]-\d{6}: (?:"
    rf"Built inbound (?:TCP|UDP) connection \d+ for {_SIDE} \({_IP}/\d+\) to {_SIDE} \({_IP}/\d+\)|"
    rf"Teardown (?:TCP|UDP) connection \d+ for {_SIDE} to {_SIDE} duration \d+:\d\d:\d\d bytes \d+"
    r"(?: TCP FINs)?|"
    rf'Deny (?:tcp|udp) src {_SIDE} dst {_SIDE} by access-group "\w+_in" \[0x0, 0x0\]|'
    rf"Group <HOSHU> User <[\w.]+> IP <{_IP}> .+|Group = HOSHU, Username = [\w.]+, IP = {_IP}, .+)",
    "linux.auth": rf"<8[56]>1 {_TIME} (?:bastion01|web01) (?:sshd|sudo) \d+ - - .+",
    "squid.access": rf"\d{{10}}\.\d{{3}} +\d+ {_IP} (?:TCP|NONE)_[A-Z_]+/\d{{3}} \d+ (?:GET|CONNECT) \S+ \S+ "
    rf"HIER_(?:DIRECT/{_IP}|NONE/-) \S+",
    "isc.bind": rf"<30>1 {_TIME} ns01 named \d+ - - client @0x[0-9a-f]+ {_IP}#\d+ \((?P<name>[\w.-]+)\): "
    r"query: (?P=name) IN (?:A|AAAA|HTTPS|SRV|PTR|MX|TXT) \+(?:E\(0\)K?)? \(10\.30\.1\.7\)",
}
COLUMNS = {
    "city.portal_application": "受付日時,申請番号,手続名,利用者ID,接続元IP,操作,結果",
    "city.resident_view": "操作日時,端末名,端末IP,職員ID,所属,業務,操作,照会件数,結果",
    "city.rpa_operation": "日時,ロボット名,実行アカウント,端末,プロセス,操作,結果",
}


@pytest.mark.parametrize("source", FORMS)
def test_text_lines_have_their_form(small: dict[str, list[bytes]], source: str) -> None:
    """A regular expression of the product's format matches every line whole."""
    form = re.compile(FORMS[source])
    wrong = [line for line in small[source] if not form.fullmatch(line.decode())]
    assert wrong == []


@pytest.mark.parametrize("source", COLUMNS)
def test_tables_have_their_columns(small: dict[str, list[bytes]], source: str) -> None:
    """The header comes first and every row has a value in every column, in the stream's encoding."""
    encoding = CHANNELS[source][0].encoding
    assert small[source][0].decode(encoding) == COLUMNS[source]
    rows = table(small[source], encoding)
    assert rows
    assert all(None not in row and all(row.values()) for row in rows)


def test_resident_views_are_shift_jis(small: dict[str, list[bytes]]) -> None:
    """Read as CP932 the department is Japanese; read as UTF-8 the file breaks."""
    assert {row["所属"] for row in table(small["city.resident_view"], "cp932")} >= {"市民課", "福祉課"}
    with pytest.raises(UnicodeDecodeError):
        b"\n".join(small["city.resident_view"]).decode("utf-8")


@pytest.mark.parametrize("source", CHANNELS)
def test_streams_run_forward_through_one_day(small: dict[str, list[bytes]], source: str) -> None:
    """Times never go back, and all of them are of the Japanese day; no line holds a line end."""
    header = 1 if source in COLUMNS else 0
    times = [WHEN[source](line) for line in small[source][header:]]
    assert times == sorted(times)
    start = datetime.datetime(DATE.year, DATE.month, DATE.day, tzinfo=JST)
    assert start <= times[0] <= times[-1] < start + datetime.timedelta(days=1)
    assert not any(b"\n" in line or b"\r" in line for line in small[source])


def test_fortigate_wall_clock_is_its_event_time(small: dict[str, list[bytes]]) -> None:
    """date/time (local) and eventtime (nanoseconds since 1970) tell the same second."""
    for line in small["fortinet.fortigate"]:
        found = pairs(line)
        seen = datetime.datetime.fromtimestamp(int(found["eventtime"]) // 10**9, JST)
        assert seen.strftime("%Y-%m-%d %H:%M:%S") == f"{found['date']} {found['time']}"


def test_windows_documents_are_winlogbeats(small: dict[str, list[bytes]]) -> None:
    """Channel, code and provider agree; records of one log of one machine are numbered without a repeat."""
    seen = set()
    for document in documents(small["windows.eventlog"]):
        winlog = document["winlog"]
        assert document["event"]["code"] == winlog["event_id"]
        assert document["host"]["name"] == winlog["computer_name"]
        assert document["@timestamp"].endswith("Z")
        assert document["message"]
        assert "event_data" in winlog or "user_data" in winlog
        assert winlog["channel"] != "Security" or document["event"]["outcome"] in {"success", "failure"}
        number = (winlog["computer_name"], winlog["channel"], winlog["record_id"])
        assert number not in seen
        seen.add(number)


def test_cloud_records_carry_the_vendor_schema(small: dict[str, list[bytes]]) -> None:
    """Management Activity records have the common schema and unique ids; sign-ins the diagnostic envelope."""
    records = documents(small["microsoft.m365_audit"])
    common = {"CreationTime", "Id", "Operation", "OrganizationId", "RecordType", "UserKey", "UserType"}
    assert all(common | {"Version", "Workload", "ClientIP", "UserId"} <= record.keys() for record in records)
    assert len({record["Id"] for record in records}) == len(records)
    kinds = {(record["Workload"], record["RecordType"]) for record in records}
    assert kinds <= {
        ("Exchange", 1),
        ("Exchange", 2),
        ("Exchange", 50),
        ("SharePoint", 6),
        ("SharePoint", 14),
        ("AzureActiveDirectory", 15),
    }
    for entry in documents(small["microsoft.entra"]):
        assert entry["category"] in {"SignInLogs", "NonInteractiveUserSignInLogs"}
        assert entry["callerIpAddress"] == entry["properties"]["ipAddress"]
        assert entry["resultType"] == str(entry["properties"]["status"]["errorCode"])
        assert entry["location"] == entry["properties"]["location"]["countryOrRegion"]
