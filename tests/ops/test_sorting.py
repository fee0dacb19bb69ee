"""A sender of several programs: each line to the source that reads it, whatever came first; pins that can be seen and removed."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from collectors import catalogue, table_headers
from collectors.declared import load
from collectors.decode import decode
from collectors.pins import Pin, forget_dropped, pins, unpin
from collectors.source import Source
from collectors.table_headers import TableHeaders
from hinomi import ecs
from hinomi.ledger import Ledger
from hinomi.store import Checkpoint
from ops.sorting import Read
from tests.ops.test_pipeline import NOW, SSH, VPN, Tower

HEADER = "Nov 20 11:59:00 web01"
START = f'<46>{HEADER} rsyslogd: [origin software="rsyslogd" swVersion="8.2112.0" x-pid="1" x-info="https://www.rsyslog.com"] start'
SYSTEMD = f"<30>{HEADER} systemd[1]: Started Session 12 of User root."
CRON = f"<78>{HEADER} CRON[1812]: (root) CMD (run-parts /etc/cron.hourly)"
KERNEL = f"<6>{HEADER} kernel: [123.4] usb 1-1: new device"
BLOCKED = (
    f"<4>{HEADER} kernel: [124.5] [UFW BLOCK] IN=eth0 OUT= MAC=aa:bb:cc:dd:ee:ff:aa:bb:cc:dd:ee:0f:08:00 SRC=203.0.113.9 "
    "DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=50 ID=1 PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0"
)
DHCP = f"<30>{HEADER} dhcpd[77]: DHCPACK on 10.0.0.7 to aa:bb:cc:dd:ee:ff via eth0"
MAIL = f"<22>{HEADER} postfix/smtpd[991]: connect from unknown[203.0.113.7]"
CONFIG = "<134>[CONFIG] something was saved"
PROXY = f"<134>{HEADER} squid[77]: Starting Squid Cache version 5.7"


def _held(tower: Tower) -> dict[str, int]:
    return {one.name: one.events for one in tower.events.datasets() if one.name != "hinomi.signal"}


@pytest.mark.parametrize("first", [START, SYSTEMD, CRON, KERNEL, CONFIG, PROXY, DHCP, MAIL])
def test_the_first_line_decides_nothing_for_ever(tmp_path: Path, first: str) -> None:
    """Whatever a server says first, its failed sign-in is one a block later."""
    tower = Tower(tmp_path)
    tower.send(first, prefix="a")
    tower.send(SYSTEMD, SSH, CRON, prefix="b")
    [event] = tower.events.search("event.dataset: linux.auth and event.outcome: failure").rows
    assert event["user.name"] == "root" and event["event.original"] == SSH
    assert "hinomi.dead_letter" not in _held(tower)


def test_every_program_of_a_relay_is_read_by_its_source(tmp_path: Path) -> None:
    """Each line once, and what no source knows keeps host, program and text; the second block as the first."""
    tower = Tower(tmp_path)
    block = [START, SYSTEMD, SSH, KERNEL, BLOCKED, DHCP, MAIL, CRON]
    for prefix in "ab":
        tower.send(*block, prefix=prefix)
    held = _held(tower)
    assert held["linux.auth"] >= 2 and held["isc.dhcpd"] == 2 and held["postfix.mail"] == 2
    assert held["netfilter.iptables"] == 2
    assert sum(held.values()) == 2 * len(block) and "hinomi.dead_letter" not in held
    rest = tower.events.search("event.dataset: generic.syslog", limit=50).rows
    assert {(row["host.name"], row["process.name"]) for row in rest} >= {
        ("web01", "systemd"),
        ("web01", "kernel"),
    }
    assert not any(pin.source.startswith("generic.") for pin in pins(tower.records))


def test_a_line_is_given_to_one_source_only(tmp_path: Path) -> None:
    """Ids of events and dead letters are those of the lines, each once, with several hundred lines of every kind."""
    tower = Tower(tmp_path)
    lines = [SYSTEMD, SSH, BLOCKED, DHCP, MAIL, "\x1bnoise", "{", ""] * 60
    tower.send(*lines)
    ids = Counter(
        row["event.id"]
        for name in _held(tower)
        for frame in tower.events.scan(name)
        for row in frame.select("event.id").iter_rows(named=True)
    )
    assert len(ids) == len(lines) and set(ids.values()) == {1}


def test_a_device_that_took_another_s_address_is_read(tmp_path: Path) -> None:
    """A firewall where a server had been: its lines are its own's, without anybody removing the pin."""
    tower = Tower(tmp_path)
    tower.send(SSH, prefix="a")
    tower.send(VPN, VPN, prefix="b")
    assert _held(tower)["fortinet.fortigate"] == 2


def test_half_a_line_of_a_known_device_is_a_dead_letter(tmp_path: Path) -> None:
    """It names no program: a general reader would hide that the device's lines can no longer be read."""
    tower = Tower(tmp_path)
    tower.send(VPN, prefix="a")
    tower.send("<189>and so on", "<189>and on", prefix="b")
    held = _held(tower)
    assert held["hinomi.dead_letter"] == 2 and "generic.key_value" not in held
    [letter, _] = tower.events.search("event.dataset: hinomi.dead_letter").rows
    assert letter["hinomi.dead_letter.source"] == "fortinet.fortigate"


def test_a_line_that_looks_like_a_product_makes_no_other_a_dead_letter(tmp_path: Path) -> None:
    """One firewall's line from an address (over UDP anybody's) whose JSON no product's source reads: the JSON goes on as ever."""
    tower = Tower(tmp_path)
    plain = [f'{{"city_app": "x", "user": "u{n}"}}' for n in range(4)]
    tower.send(*plain, prefix="a")
    tower.send(VPN, prefix="b")
    tower.send(*plain, prefix="c")
    assert _held(tower) == {"generic.json": 8, "fortinet.fortigate": 1}


def test_however_many_programs_a_block_has(tmp_path: Path) -> None:
    """Behind the programs that fill the sample the lines of the rest are looked at, too."""
    tower = Tower(tmp_path)
    lines = [f"<30>{HEADER} own{k:02d}[{n}]: something went on" for k in range(30) for n in range(220)]
    tower.send(*lines)
    assert _held(tower) == {"generic.syslog": len(lines)}


def test_a_source_is_not_asked_twice_for_a_line_it_refused(tmp_path: Path) -> None:
    """A table whose columns changed places: what stands below the other header stays a dead letter in the block in which the
    declared header comes again, too, and the good lines around it are events."""
    tower = Tower(tmp_path)
    columns = "操作日時,端末名,端末IP,職員ID,所属,業務,操作,照会件数,結果"
    good = "令和8年11月20日 08:10:00,pc-1,10.1.2.3,yamada,市民課,住民票,照会,1,正常"
    other = "操作日時,端末名,端末IP,所属,職員ID,業務,操作,照会件数,結果"
    swapped = "令和8年11月20日 08:10:00,pc-1,10.1.2.3,zeimu,yamada,住民票,照会,1,正常"
    tower.send(columns, good, prefix="a")
    tower.send(other, swapped, prefix="b")
    tower.send(swapped, columns, good, prefix="c")
    tower.send(good, prefix="d")
    rows = tower.events.search("event.dataset: city.resident_view", limit=50).rows
    assert [row["user.name"] for row in rows] == ["yamada"] * 3
    assert _held(tower)["hinomi.dead_letter"] == 3


def test_what_is_refused_stands_as_it_came(tmp_path: Path) -> None:
    """A listener that leaves the encoding open guesses for its lines together: the one that its source refuses is no other text
    for being looked at alone afterwards, and lines of one source are decoded once."""
    tower = Tower(tmp_path, fw="generic.json")
    tower.pipeline.encodings = {"fw": "auto"}
    kana = "ｻｰﾊﾞ"
    block = [f'{{"dept": "市民課{n}", "note": "転入の届出"}}'.encode("cp932") for n in range(20)]
    tower.send(*block, kana.encode("cp932"))
    [letter] = tower.events.search("event.dataset: hinomi.dead_letter").rows
    assert letter["event.original"] == kana


def test_programs_beyond_number_are_read_together(tmp_path: Path) -> None:
    """Over UDP anybody names programs: of five hundred the general form is asked a handful of times, not one by one."""
    tower = Tower(tmp_path)
    sort, asked = tower.pipeline.sorting.sort, list[str]()

    def counted(origin: str, rows: pl.DataFrame, read: Read) -> pl.DataFrame:
        def noted(name: str, rows: pl.DataFrame) -> pl.DataFrame:
            asked.append(name)
            return read(name, rows)

        return sort(origin, rows, noted)

    tower.pipeline.sorting = cast(Any, SimpleNamespace(sort=counted))
    lines = [f"<30>{HEADER} own{n:03d}[1]: something went on" for n in range(500)]
    tower.send(SSH, *lines)
    assert _held(tower)["generic.syslog"] >= 500 and len(asked) <= 6, asked


def test_text_is_decoded_for_each_source_as_it_has_it(tmp_path: Path) -> None:
    """A Shift_JIS source refuses a line of UTF-8: the next one reads the line as it came."""
    tower = Tower(tmp_path, fw="city.resident_view, generic.json")
    tower.send('{"dept": "税務課"}')
    [event] = tower.events.search("event.dataset: generic.json").rows
    assert event["event.original"] == '{"dept": "税務課"}'


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("linux.auth", {"linux.auth": 1, "hinomi.dead_letter": 2}),
        ("linux.auth, auto", {"linux.auth": 1, "isc.dhcpd": 1, "generic.syslog": 1}),
        ("linux.auth, isc.dhcpd", {"linux.auth": 1, "isc.dhcpd": 1, "hinomi.dead_letter": 1}),
        ("no.such, linux.auth", {"linux.auth": 1, "hinomi.dead_letter": 2}),
    ],
)
def test_several_sources_are_tried_in_their_order(
    tmp_path: Path, declared: str, expected: dict[str, int]
) -> None:
    """What the first refuses goes to the next; `auto` as the last takes what is left."""
    tower = Tower(tmp_path, fw=declared)
    tower.send(SSH, DHCP, SYSTEMD)
    assert _held(tower) == expected


def test_pins_are_listed_and_removed_while_the_worker_runs(tmp_path: Path) -> None:
    """Each pin with its program; removed, the next lines are recognised anew, by a worker that had them in memory."""
    tower = Tower(tmp_path)
    tower.send(SSH, SSH, DHCP, peer="10.0.0.1")
    tower.send(VPN, peer="10.0.0.2", prefix="b")
    since = NOW.isoformat()
    assert pins(tower.records) == [
        Pin("fw", "10.0.0.1", None, "linux.auth", since),
        Pin("fw", "10.0.0.1", "dhcpd", "isc.dhcpd", since),
        Pin("fw", "10.0.0.2", None, "fortinet.fortigate", since),
    ]
    assert unpin(tower.records, tower.clock, "fw", "10.0.0.1") == 1
    assert [pin.peer for pin in pins(tower.records)] == ["10.0.0.2"]
    tower.clock.advance(timedelta(seconds=5))
    tower.send(VPN, peer="10.0.0.1", prefix="c")
    assert pins(tower.records, "fw", "10.0.0.1")[0].source == "fortinet.fortigate"
    assert unpin(tower.records, tower.clock, "fw") == 2 and not pins(tower.records)


def test_a_sender_s_programs_fill_no_store(tmp_path: Path) -> None:
    """Names of programs are the sender's to choose: 64 are pinned, further ones are read all the same."""
    tower = Tower(tmp_path)
    tower.send(SYSTEMD, *(SSH.replace("sshd[", f"x{n}/sudo[") for n in range(100)))
    tower.send(*(BLOCKED.replace("kernel:", f"k{n}:") for n in range(100)), prefix="b")
    assert _held(tower)["netfilter.iptables"] == 100
    assert len(pins(tower.records)) <= 65


def test_the_sieve_finds_what_the_sources_themselves_do() -> None:
    """Of every sender above, and of what Hyperscan does not know as Rust does: signs beyond ASCII in words and numbers."""
    lines = [
        START,
        SYSTEMD,
        SSH,
        KERNEL,
        BLOCKED,
        DHCP,
        MAIL,
        VPN,
        CONFIG,
        "",
        "日本語=値 " * 5,
        "ａ=１ " * 5,
    ]
    looks = catalogue.looks_like(lines)
    whole = pl.Series("line", lines)
    asked = {name: source.fits(whole).to_list() for name, source in catalogue.sources().items()}
    assert looks == [{name for name, fits in asked.items() if fits[n]} for n in range(len(lines))]


def _block(tower: Tower, sent: list[tuple[str, str]], prefix: str) -> None:
    """Lines of several peers in one block."""
    frame = pl.DataFrame(
        {
            "origin": ["fw"] * len(sent),
            "peer": [peer for peer, _ in sent],
            "client_id": [""] * len(sent),
            "received": pl.Series([NOW] * len(sent)).cast(ecs.TIME),
            "payload": pl.Series([line.encode() for _, line in sent], dtype=pl.Binary),
            "event.id": [f"{prefix}-{n}" for n in range(len(sent))],
        }
    )
    tower.pipeline.process(frame, Checkpoint("lane-0", prefix))


def test_a_hundred_quiet_senders_are_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source is asked once for the lines of all whose next one it is, whatever else each of them sends; every line is the
    event of who sent it."""
    tower = Tower(tmp_path)
    kinds = [SSH, DHCP, MAIL]
    senders = [f"10.0.0.{n}" for n in range(30)]
    for n, prefix in enumerate("abc"):  # each begins with another kind
        _block(tower, [(peer, kinds[(n + k) % 3]) for k, peer in enumerate(senders)], prefix)
    asked: Counter[str] = Counter()
    parse = Source.parse
    monkeypatch.setattr(Source, "parse", lambda self, rows: (asked.update([self.name]), parse(self, rows))[1])
    _block(tower, [(peer, line) for peer in senders for line in kinds], "d")
    assert set(asked) == {"linux.auth", "isc.dhcpd", "postfix.mail"} and max(asked.values()) <= 2, asked
    rows = tower.events.search("event.dataset: linux.auth", limit=200).rows
    last = [row["log.source.address"] for row in rows if row["event.id"].startswith("d-")]
    assert sorted(last) == sorted(senders) and "hinomi.dead_letter" not in _held(tower)


def test_who_invents_keys_takes_none_from_the_others(tmp_path: Path) -> None:
    """Of a frame only so many keys become columns: a sender of a thousand of them is read alone."""
    tower = Tower(tmp_path, fw="generic.key_value")
    many = " ".join(f"k{n}=1" for n in range(1_000))
    _block(
        tower,
        [("10.0.0.6", many)] * 3 + [("10.0.0.7", "src=192.0.2.7 door=east badge=17 state=open zone=b")],
        "a",
    )
    [row] = tower.events.search("event.dataset: generic.key_value and log.source.address: 10.0.0.7").rows
    assert (row["key_value.door"], row["key_value.badge"]) == ("east", "17")


def test_a_sender_s_bad_lines_cost_no_other_sender_its_good_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser fails at a hundred lines of one sender, which stand among those of forty others, and at one of another: those are
    dead letters, all of the others are events; the one sender's tries are spent without them."""
    tower = Tower(tmp_path, fw="linux.auth")
    whole, asked = Source.parse, list[int]()

    def touchy(self: Source, intake: pl.DataFrame) -> Any:
        asked.append(intake.height)
        if intake["message"].str.contains("from 203.0.113.66 ").any():
            raise ZeroDivisionError
        return whole(self, intake)

    monkeypatch.setattr(Source, "parse", touchy)
    bad = re.sub("from [0-9.]+ ", "from 203.0.113.66 ", SSH)
    assert bad != SSH
    sent = [pair for n in range(100) for pair in (("10.0.0.66", bad), (f"10.0.0.{n % 40}", SSH))]
    _block(tower, [*sent, ("10.0.0.7", bad)], "a")
    assert _held(tower) == {"linux.auth": 100, "hinomi.dead_letter": 101}
    assert len(asked) < 110


def test_a_header_counts_for_who_sent_it(tmp_path: Path) -> None:
    """Two files of one folder in a block: below the other header of the one nothing of the other is lost."""
    tower = Tower(tmp_path, fw="city.resident_view")
    columns = "操作日時,端末名,端末IP,職員ID,所属,業務,操作,照会件数,結果"
    other = "操作日時,端末名,端末IP,所属,職員ID,業務,操作,照会件数,結果"
    line = "令和8年11月20日 08:10:00,pc-1,10.1.2.3,yamada,市民課,住民票,照会,1,正常"
    _block(tower, [("a.csv", other), ("b.csv", columns), ("a.csv", line), ("b.csv", line)], "a")
    _block(tower, [("b.csv", line), ("a.csv", line)], "b")
    found = tower.events.search("event.dataset: city.resident_view", limit=9).rows
    assert [row["log.source.address"] for row in found] == ["b.csv"] * 2
    assert _held(tower)["hinomi.dead_letter"] == 3


def test_each_sender_s_encoding_is_guessed_from_its_own_lines() -> None:
    """EUC-JP and Shift_JIS in one block: who writes which is told by each one's lines, not by those of all."""
    texts = ["住民票の写しを交付しました", "ｻｰﾊﾞ"]
    euc, sjis = [text.encode("euc_jp") for text in texts], [text.encode("cp932") for text in texts]
    payload = pl.Series([*sjis, *euc, *euc], dtype=pl.Binary)
    senders = pl.Series(["a", "a", "b", "b", "c", "c"])
    assert decode(payload, "", Ledger(), origin="fw", senders=senders).to_list() == texts * 3


def test_a_restart_in_the_middle_of_a_file_forgets_no_header(tmp_path: Path) -> None:
    """Whoever reads on knows that the lines stand below another header, and when the declared one came again, that as well; a
    sender's formats are listed without it."""
    columns = "操作日時,端末名,端末IP,職員ID,所属,業務,操作,照会件数,結果"
    other = "操作日時,端末名,端末IP,所属,職員ID,業務,操作,照会件数,結果"
    line = "令和8年11月20日 08:10:00,pc-1,10.1.2.3,yamada,市民課,住民票,照会,1,正常"
    for prefix, lines, held in [
        ("a", [other, line], 0),
        ("b", [line], 0),
        ("c", [columns, line], 1),
        ("d", [line], 2),
    ]:
        tower = Tower(tmp_path, fw="city.resident_view")
        tower.pipeline.headers = TableHeaders(tower.records, tower.clock)
        tower.send(*lines, peer="a.csv", prefix=prefix)
        assert _held(tower).get("city.resident_view", 0) == held, prefix
        assert pins(tower.records) == []
        tower.events.close()
    assert tower.records.find("source", {"header": True}) == []


def test_too_many_senders_below_other_headers_cost_the_oldest_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' lines are refused as before; after a restart, too."""
    monkeypatch.setattr(table_headers, "_SENDERS", 2)
    other = "操作日時,端末名,端末IP,所属,職員ID,業務,操作,照会件数,結果"
    line = "令和8年11月20日 08:10:00,pc-1,10.1.2.3,yamada,市民課,住民票,照会,1,正常"
    tower = Tower(tmp_path, fw="city.resident_view")
    tower.pipeline.headers = TableHeaders(tower.records, tower.clock)
    for name in ("z.csv", "b.csv", "a.csv"):
        tower.send(other, peer=name, prefix=name)
        tower.clock.advance(timedelta(seconds=5))
    for n in range(2):
        tower.send(line, peer="b.csv", prefix=f"b{n}")
        tower.send(line, peer="a.csv", prefix=f"a{n}")
        tower.pipeline.headers = TableHeaders(tower.records, tower.clock)
    assert _held(tower) == {"hinomi.dead_letter": 7}
    assert {one.body["peer"] for one in tower.records.find("source", {"header": True})} == {"a.csv", "b.csv"}


@pytest.mark.parametrize("mended", ["declaration", "unpinned"])
def test_lines_below_another_header_are_read_once_that_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mended: str
) -> None:
    """The record says other than which columns: with those of the file declared, its next lines are read, after a restart as well as
    without; and so they are by hand of whoever unpins the sender while the worker runs."""
    declared = (
        "source: city.library\ntitle: {ja: 図書, en: Library}\nformat: csv\nheader: true\ncolumns: [%s]\n"
        + ("fields: {at: {to: '@timestamp', type: time}, who: user.name, note: message}\n")
    )
    path = tmp_path / "city_library.source.yml"

    def declare(columns: str) -> None:
        path.write_text(declared % columns, encoding="utf-8")
        monkeypatch.setitem(catalogue.sources(), "city.library", load(path))

    declare("at, note, who")
    tower = Tower(tmp_path, fw="city.library")
    tower.pipeline.headers = TableHeaders(tower.records, tower.clock)
    tower.send("at,who,note", "2026-11-20 09:00:00,m.abe,x", peer="a.csv", prefix="a")
    tower.send("2026-11-20 09:00:01,m.abe,x", peer="a.csv", prefix="b")
    assert _held(tower) == {"hinomi.dead_letter": 3}
    if mended == "declaration":
        declare("at, who, note")
        tower.pipeline.headers = TableHeaders(tower.records, tower.clock)
    else:
        assert unpin(tower.records, tower.clock, "fw") == 1
        tower.clock.advance(timedelta(seconds=5))
    tower.send("2026-11-20 09:00:02,m.abe,x", peer="a.csv", prefix="c")
    assert _held(tower)["city.library"] == 1
    assert tower.records.find("source", {"header": True}) == []


def test_formats_of_dropped_files_are_forgotten(tmp_path: Path) -> None:
    """A file that was dropped a week ago is no sender any more; one of yesterday, and devices, are."""
    tower = Tower(tmp_path)
    tower.send(SSH, peer="old.log", origin="drop", prefix="a")
    tower.send(SSH, peer="192.0.2.1", origin="fw", prefix="b")
    tower.clock.advance(timedelta(days=6))
    tower.send(SSH, peer="new.log", origin="drop", prefix="c")
    tower.clock.advance(timedelta(days=2))
    assert forget_dropped(tower.records, tower.clock, ["drop"]) == 1
    assert [pin.peer for pin in pins(tower.records)] == ["new.log", "192.0.2.1"]
