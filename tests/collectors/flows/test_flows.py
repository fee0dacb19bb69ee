"""Flows: a real exporter's datagrams in three versions, templates late, changed or lost, and anything hostile."""

import asyncio
import struct
import subprocess
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import catalogue
from collectors.flows import sflow
from collectors.flows.decoder import Decoder
from tests.collectors import content
from tests.collectors.flows.capture import (
    flow_set,
    ipfix,
    tcp_frame,
    template,
    version_9,
    write_capture,
)
from tests.collectors.transports.intake import Running, intake
from tests.shared import program

FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4), (22, 4), (21, 4))
RECORD = struct.pack(
    ">4s4sHHBIIII", bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7]), 1234, 443, 6, 900, 3, 400_000, 500_000
)


def pairs(line: bytes) -> dict[str, str]:
    return dict(part.split("=", 1) for part in line.decode().split(" "))


def parsed(lines: list[bytes]) -> pl.DataFrame:
    """The lines as the source reads them."""
    found = catalogue.find("network.flow").parse(content.intake(*(line.decode() for line in lines)))
    assert not found.rejected.height
    return pl.concat(found.frames, how="diagonal")


@pytest.mark.peer
@pytest.mark.parametrize("version", ["5", "9", "10"])
def test_a_real_exporter(tmp_path: Path, version: str) -> None:
    """softflowd exports a capture of forty connections: each one flow, with its ends, bytes and packets."""
    softflowd = program("softflowd")
    frames = [
        tcp_frame(f"192.0.2.{i % 40 + 1}", "198.51.100.7", (1000 + i % 40, 443), 100) for i in range(400)
    ]
    write_capture(tmp_path / "capture.pcap", 1_793_000_000.0, frames)

    async def body(running: Running) -> None:
        target = f"127.0.0.1:{running.port('flows')}"
        command = [softflowd, "-r", tmp_path / "capture.pcap", "-n", target, "-v", version, "-d"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        await running.until_spooled(40)
        await asyncio.sleep(0.3)
        frame = parsed(running.payloads("flows"))
        assert sorted(frame["source.ip"]) == sorted(f"192.0.2.{i + 1}" for i in range(40))
        assert set(frame["destination.port"]) == {443}
        assert set(frame["source.port"]) == set(range(1000, 1040))
        assert frame["network.bytes"].sum() == 400 * 140 and frame["network.packets"].sum() == 400
        assert set(frame["network.transport"]) == {"tcp"} and set(
            frame["observer.ip"].list.first()
            if frame.schema["observer.ip"] == pl.List
            else frame["observer.ip"]
        ) == {"127.0.0.1"}
        if version == "10":  # tells when the capture began; a replayed one does not fit the others' uptime
            assert frame["event.start"].min().timestamp() == pytest.approx(1_793_000_000, abs=2)
            assert frame["event.duration"].max() > 3_000_000_000
        assert running.health.listeners["flows"].errors == {}

    async def main() -> None:
        async with intake(tmp_path / "spool", flows={"kind": "flow", "port": 0}) as running:
            await body(running)

    asyncio.run(main())


def test_times_of_an_uptime_that_wrapped() -> None:
    """First and last are ms of the exporter's uptime, which starts anew after 49 days."""
    decoder = Decoder()
    known = flow_set(0, template(256, *FIELDS))
    (line,) = decoder.decode("192.0.2.254", [version_9(1, known, flow_set(256, RECORD), uptime=600_000)])
    assert pairs(line)["end"] == str(1_795_857_052_000 - 100_000)
    (line,) = decoder.decode(
        "192.0.2.254",
        [version_9(2, flow_set(256, RECORD[:-8] + struct.pack(">II", 0xFFFFFF00, 100)), uptime=200)],
    )
    assert pairs(line)["start"] == str(1_795_857_052_000 - 456)
    assert pairs(line)["end"] == str(1_795_857_052_000 - 100)


def test_records_wait_for_their_template() -> None:
    """Sets of a template that is not known yet are held and read once it comes; of another exporter's it is not taken."""
    decoder = Decoder()
    assert decoder.decode("192.0.2.254", [version_9(1, flow_set(256, RECORD * 2))]) == []
    assert decoder.decode("192.0.2.253", [version_9(1, flow_set(0, template(256, *FIELDS)))]) == []
    found = decoder.decode("192.0.2.254", [version_9(2, flow_set(0, template(256, *FIELDS)))])
    assert len(found) == 2 and not decoder.held and not decoder.waiting
    assert pairs(found[0])["sourceIPv4Address"] == "192.0.2.1"


def test_what_waits_too_long_or_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held sets are bounded in bytes and in time."""
    decoder = Decoder()
    for n in range(300):
        decoder.decode("192.0.2.254", [version_9(n, flow_set(300, b"\0" * 60_000))])
    assert decoder.held <= 8 << 20
    assert decoder.counts["flow_without_template"] == 300 - sum(map(len, decoder.waiting.values()))
    monkeypatch.setattr("collectors.flows.decoder._HOLD_SECONDS", -1.0)
    decoder.decode("192.0.2.254", [])
    assert decoder.counts["flow_without_template"] == 300 and not decoder.held


def test_templates_outlive_a_restart(tmp_path: Path) -> None:
    """After a restart of the intake records are read by the templates that were known before."""

    async def main() -> None:
        listener = {"kind": "flow", "port": 0}
        async with intake(tmp_path / "spool", flows=listener) as running:
            await _send(running, version_9(1, flow_set(0, template(256, *FIELDS)), flow_set(256, RECORD)))
            await running.until_spooled(1)
        async with intake(tmp_path / "spool", flows=listener) as running:
            await _send(running, version_9(2, flow_set(256, RECORD)))
            await running.until_spooled(2)

    asyncio.run(main())


async def _send(running: Running, *datagrams: bytes) -> None:
    loop = asyncio.get_running_loop()
    target = ("127.0.0.1", running.port("flows"))
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=target)
    for datagram in datagrams:
        transport.sendto(datagram)
    transport.close()


def test_sampling_unknown_elements_and_text() -> None:
    """Options tell the sampling; a vendor's own element keeps its bytes; text of varying length is read; quotes are inert."""
    options = struct.pack(">HHH", 257, 2, 1) + struct.pack(">HHHH", 149, 4, 34, 4)
    fields = struct.pack(">HH", 256, 4) + struct.pack(">HHHHHHIHH", 8, 4, 371, 65535, 0x8000 | 12, 3, 9, 1, 3)
    name = '山田 "x"\n'.encode()
    record = bytes([192, 0, 2, 1]) + bytes([len(name)]) + name + b"\x01\x02\x03" + b"\x00\x01\x00"
    decoder = Decoder()
    told = flow_set(3, options) + flow_set(257, struct.pack(">II", 7, 100))
    (line,) = decoder.decode(
        "192.0.2.254", [ipfix(0, told), ipfix(1, flow_set(2, fields), flow_set(256, record))]
    )
    assert b'userName="\xe5\xb1\xb1\xe7\x94\xb0 ?x??"' in line
    assert b"pen9_12=010203" in line and b"octetDeltaCount=256" in line and b"sampling=100" in line
    row = parsed([line])
    assert row["user.name"].to_list() == ["山田 ?x??"] and row["network.bytes"].to_list() == [256]


def test_lost_datagrams_are_counted() -> None:
    """The sequence numbers tell how many flows (versions 5 and IPFIX) or datagrams (9) are missing; a restart is no loss."""
    decoder = Decoder()
    known = flow_set(0, template(256, *FIELDS))
    decoder.decode(
        "192.0.2.254", [version_9(10, known), version_9(11), version_9(14), version_9(1), version_9(2)]
    )
    assert decoder.take_counts() == {"flow_lost_on_the_way": 2}
    five = [struct.pack(">HHIIIIBBH", 5, 1, 1, 1, 0, n, 0, 0, 0) + bytes(48) for n in (100, 101, 105)]
    decoder.decode("192.0.2.254", five)
    assert decoder.take_counts() == {"flow_lost_on_the_way": 3}
    sets = (flow_set(2, template(256, *FIELDS)), flow_set(256, RECORD * 3))
    decoder.decode("192.0.2.254", [ipfix(0, *sets), ipfix(3, *sets), ipfix(8, *sets)])
    assert decoder.take_counts() == {"flow_lost_on_the_way": 2}


def test_a_template_that_changes_within_one_reading() -> None:
    """Records before the change are read by the old template, those after it by the new one."""
    decoder = Decoder()
    first = version_9(1, flow_set(0, template(256, *FIELDS)), flow_set(256, RECORD))
    second = version_9(
        2, flow_set(0, template(256, (8, 4), (1, 4))), flow_set(256, bytes([192, 0, 2, 9, 0, 0, 0, 5]))
    )
    found = decoder.decode("192.0.2.254", [first, second])
    assert {pairs(line)["sourceIPv4Address"] for line in found} == {"192.0.2.1", "192.0.2.9"}


def test_sampled_packets_of_sflow() -> None:
    """A flow sample with a frame's beginning, one with addresses only, and a counter sample, which is counted."""
    frame = tcp_frame("192.0.2.9", "198.51.100.7", (1234, 22), 64)[:80]
    header = struct.pack(">IIII", 1, 118, 4, len(frame)) + frame
    first = struct.pack(">8I", 1, 1, 512, 512, 0, 1, 2, 1) + struct.pack(">II", 1, len(header)) + header
    addresses = struct.pack(
        ">II16s16sIIII",
        100,
        17,
        b"\x20\x01" + bytes(13) + b"\1",
        b"\x20\x01" + bytes(13) + b"\2",
        5,
        53,
        0,
        0,
    )
    second = (
        struct.pack(">11I", 2, 0, 1, 256, 256, 0, 0, 3, 0, 4, 1)
        + struct.pack(">II", 4, len(addresses))
        + addresses
    )
    samples = [(1, first), (3, second), (2, b"\0" * 12)]
    body = b"".join(struct.pack(">II", form, len(one)) + one for form, one in samples)
    datagram = sflow.START + struct.pack(">I4sIIII", 1, bytes([192, 0, 2, 253]), 0, 1, 1000, 3) + body
    decoder = Decoder()
    lines = decoder.decode("192.0.2.254", [datagram])
    rows = parsed(lines)
    assert rows["source.ip"].to_list() == ["192.0.2.9", "2001::1"]
    assert rows["destination.port"].to_list() == [22, 53] and rows["network.bytes"].to_list() == [118, 100]
    assert rows["flow.sampling"].to_list() == ["512", "256"]
    assert decoder.take_counts() == {"sflow_counters": 1}


HEADS = st.sampled_from([b"\0\5", b"\0\x09", b"\0\x0a", b"\0\0\0\5", b""])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(HEADS, st.binary(max_size=200)), max_size=6))
def test_hostile_datagrams(parts: list[tuple[bytes, bytes]]) -> None:
    """Any bytes: no exception, and lines that the source reads or rejects."""
    lines = Decoder().decode("192.0.2.254", [head + rest for head, rest in parts])
    catalogue.find("network.flow").parse(content.intake(*(line.decode() for line in lines), "x=1"))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 70)), max_size=12),
    st.binary(max_size=400),
    st.integers(0, 60),
)
def test_hostile_templates(fields: list[tuple[int, int]], body: bytes, cut: int) -> None:
    """Any elements of any lengths over any bytes, cut anywhere: no exception."""
    wild = [(number, 65535 if length > 60 else length) for number, length in fields]
    sets = (flow_set(2, template(256, *wild)), flow_set(256, body))
    whole = ipfix(0, *sets)
    decoder = Decoder()
    lines = decoder.decode(
        "192.0.2.254",
        [
            whole,
            whole[: len(whole) - cut],
            version_9(1, flow_set(0, template(300, *wild)), flow_set(300, body)),
        ],
    )
    catalogue.find("network.flow").parse(content.intake(*(line.decode() for line in lines), "x=1"))
