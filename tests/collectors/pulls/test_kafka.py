"""Kafka and Event Hubs against a real broker over TLS: nothing lost, nothing doubled, committed only when it is safe."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from collectors.kafka.consumer import Deleted, Group
from collectors.kafka.envelope import records
from collectors.pulls import findings, kinds
from collectors.pulls.azure_event_hubs import AzureEventHubs
from collectors.pulls.kafka import Kafka
from collectors.transports.health import ListenerHealth
from hinomi.errors import ConfigError, Refused
from tests import kafka
from tests.collectors.pulls.child import senders, spooled
from tests.collectors.pulls.kafka_child import reads


@pytest.fixture
def broker() -> kafka.Broker:
    """The process's broker."""
    return kafka.running()


def settings(broker: kafka.Broker, folder: Path, topic: str, **more: Any) -> dict[str, Any]:
    """Of a pull of that topic, over TLS with SCRAM."""
    (folder / "password").write_text(kafka.PASSWORD, encoding="utf-8")
    given = {
        "kind": "kafka",
        "brokers": [broker.tls],
        "topics": [topic],
        "group": f"g-{topic}",
        "user": kafka.USER,
        "password": f"file:{folder / 'password'}",
        "ca": str(broker.ca),
        "gone_after": 2,
    }
    return given | more


def stored(*folders: Path, origin: str = "hub") -> Counter[str]:
    """As the store keeps them: each id once."""
    return Counter(
        {identity: text for identity, where, text in spooled(*folders) if where == origin}.values()
    )


def numbered(start: int, end: int) -> list[bytes]:
    """Messages that are told apart."""
    return [f"message {n}".encode() for n in range(start, end)]


def each_once(end: int) -> dict[str, int]:
    """Every one of them."""
    return {f"message {n}": 1 for n in range(end)}


class TestBroker:
    """What needs the broker."""

    pytestmark: ClassVar = [*kafka.ON_KAFKA]

    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    def test_every_sign_in_and_compression(
        self, broker: kafka.Broker, tmp_path: Path, mechanism: str
    ) -> None:
        """Messages of each compression arrive once; tombstones and empty ones are counted; all is committed."""
        topic = broker.topic(f"t-{mechanism.lower()}")
        for n, kind in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
            broker.send(topic, *numbered(n * 10, n * 10 + 10), **{"compression.type": kind})
        broker.send(topic, None, b" ", b"two\nlines")
        pull = Kafka.model_validate(settings(broker, tmp_path, topic, mechanism=mechanism))
        ledger = asyncio.run(reads(pull, tmp_path / "spool", 51))
        assert stored(tmp_path / "spool") == {**each_once(50), "two lines": 1}
        assert sum(n for line, n in ledger.counts.items() if line.reason == "empty_message") == 2
        assert broker.committed(f"g-{topic}", topic) == 53

    def test_a_wrong_password_is_said_without_it(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """The message tells what to check; so for a topic that is not there."""
        topic = broker.topic("t-wrong")
        pull = Kafka.model_validate(settings(broker, tmp_path, topic))
        (tmp_path / "password").write_text("wr0ng", encoding="utf-8")
        with pytest.raises(Refused) as refused:
            asyncio.run(reads(pull, tmp_path / "spool", 1))
        assert "確かめてください" in refused.value.ja and "wr0ng" not in str(refused.value)
        missing = Kafka.model_validate(settings(broker, tmp_path, "no-such-topic"))
        with pytest.raises(Refused, match="topics"):
            asyncio.run(reads(missing, tmp_path / "spool", 1))

    def test_killed_between_any_two_steps(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """kill -9 before the spool, after it, before and after the commit: each message is there once."""
        topic = broker.topic("t-killed")
        folder = tmp_path / "spool"
        broker.send(topic, *numbered(0, 40))
        told = json.dumps(settings(broker, tmp_path, topic))
        for n, step in enumerate(("before_spool", "after_spool", "before_commit", "after_commit")):
            assert self._child(told, folder, step, 40) == -9
            broker.send(topic, *numbered(40 + 10 * n, 50 + 10 * n))
        left = 80 - broker.committed(f"g-{topic}", topic)
        assert self._child(told, folder, "never", left) == 0
        assert stored(folder) == each_once(80)
        assert broker.committed(f"g-{topic}", topic) == 80

    def _child(self, told: str, folder: Path, step: str, enough: int) -> int:
        command = [
            sys.executable,
            "-m",
            "tests.collectors.pulls.kafka_child",
            told,
            str(folder),
            step,
            str(enough),
        ]
        ended = subprocess.run(command, timeout=120, check=False, capture_output=True, text=True)
        assert ended.returncode in (-9, 0), ended.stderr
        return ended.returncode

    def test_a_second_member_takes_its_share(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """A member joins and another leaves amid the messages: each is stored once."""
        topic = broker.topic("t-shared")
        pull = Kafka.model_validate(settings(broker, tmp_path, topic))
        folders = [tmp_path / "a", tmp_path / "b"]

        async def both() -> None:
            first = asyncio.create_task(reads(pull, folders[0], 10**9, seconds=8))
            await asyncio.to_thread(broker.send, topic, *numbered(0, 100))
            await asyncio.sleep(3)
            second = asyncio.create_task(reads(pull, folders[1], 10**9, seconds=9))
            for start in range(100, 500, 50):
                await asyncio.to_thread(broker.send, topic, *numbered(start, start + 50))
                await asyncio.sleep(0.3)
            await asyncio.gather(first, return_exceptions=True)  # leaves
            await asyncio.to_thread(broker.send, topic, *numbered(500, 600))
            await asyncio.gather(second, return_exceptions=True)

        asyncio.run(both())
        assert stored(*folders) == each_once(600)
        assert all(stored(folder) for folder in folders)
        assert broker.committed(f"g-{topic}", topic) == 600

    def test_each_topic_is_a_sender(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """Topics of several products are told apart, so that each is recognised by its own lines."""
        topics = [broker.topic("t-firewall"), broker.topic("t-proxy")]
        for topic in topics:
            broker.send(topic, topic.encode())
        pull = Kafka.model_validate(settings(broker, tmp_path, topics[0], topics=topics))
        asyncio.run(reads(pull, tmp_path / "spool", 2))
        assert senders(tmp_path / "spool") == {(topic, topic) for topic in topics}

    def test_messages_that_were_deleted_unread_are_told(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """Retention took messages while nobody read: how many is told, the rest is read; a topic read from where it
        begins lost nothing."""
        topic = broker.topic("t-deleted", partitions=2)
        broker.send(topic, *numbered(0, 20))
        pull = Kafka.model_validate(settings(broker, tmp_path, topic))
        asyncio.run(reads(pull, tmp_path / "spool", 20))
        broker.send(topic, *numbered(20, 40))
        broker.delete(topic, partition=0, before=17)
        health = ListenerHealth("hub", "kafka")
        ledger = asyncio.run(reads(pull, tmp_path / "spool", 13, health=health))
        gone = {f"message {n}": 1 for n in range(20, 34, 2)}
        assert stored(tmp_path / "spool") == {one: 1 for one in each_once(40) if one not in gone}
        (said,) = [json.loads(text) for text in stored(tmp_path / "spool", origin=findings.ORIGIN)]
        assert (said["finding"], said["stream"], said["messages"]) == ("messages_gone", f"{topic}/0", 7)
        assert sum(n for line, n in ledger.counts.items() if line.reason == "messages_gone") == 7
        assert [note.bad for note in health.notes] == [True]

    def test_retention_that_overtakes_a_reader_is_told(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """A member that is too slow goes on behind what was deleted, and says which messages it did not see."""
        topic = broker.topic("t-overtaken")
        group_of = {
            "kind": "kafka",
            "brokers": [broker.plain],
            "topics": [topic],
            "group": "g-t",
            "tls": False,
        }
        pull = Kafka.model_validate(group_of)

        async def main() -> tuple[int, list[Deleted]]:
            group = Group({**pull._common(), **pull.connection()}, [topic], pull.address())
            await group.join()
            try:
                await self._until(group, 8)
                places = group._consumer.assignment()
                group._consumer.pause(places)
                await asyncio.to_thread(broker.send, topic, *numbered(8, 28))
                await asyncio.to_thread(broker.delete, topic, partition=0, before=9)
                group._consumer.resume(places)
                return await self._until(group, 15), group.deleted
            finally:
                await group.leave()

        broker.send(topic, *numbered(0, 8))  # four in each of two partitions, then ten
        assert asyncio.run(main()) == (15, [Deleted(topic, 0, 4, 9)])

    def test_a_group_that_begins_at_the_end_begins_there_once(
        self, broker: kafka.Broker, tmp_path: Path
    ) -> None:
        """It saw nothing yet when it went away: what came meanwhile is read when it returns, what was there before is not."""
        topic = broker.topic("t-latest")
        broker.send(topic, *numbered(0, 6))
        pull = Kafka.model_validate(settings(broker, tmp_path, topic, start="latest", gone_after=20))

        async def member(number: int) -> list[bytes | None]:
            group = Group({**pull._common(), **pull.connection()}, [topic], pull.address())
            found: list[bytes | None] = []
            await group.join()
            try:
                async with asyncio.timeout(60):
                    while len(found) < number or group.begun or not group._consumer.assignment():
                        found += [message.value() for message in await group.some()]
            finally:
                await group.leave()
            return found

        assert asyncio.run(member(0)) == []
        broker.send(topic, *numbered(6, 10))
        assert sorted(filter(None, asyncio.run(member(4)))) == numbered(6, 10)

    def test_no_message_is_handed_out_before_the_broker_knows_where_the_group_began(
        self, broker: kafka.Broker, tmp_path: Path
    ) -> None:
        """Killed with its very first messages in hand, it is given them again: what came meanwhile is not passed over."""
        topic = broker.topic("t-first")
        broker.send(topic, *numbered(0, 6))
        pull = Kafka.model_validate(settings(broker, tmp_path, topic, start="latest", gone_after=20))

        async def first_of(group: Group) -> set[bytes | None]:
            async with asyncio.timeout(60):
                while not (found := await group.some()):
                    pass
            return {message.value() for message in found}

        async def main() -> None:
            groups = [
                Group({**pull._common(), **pull.connection()}, [topic], pull.address()) for _ in range(2)
            ]
            sending = asyncio.create_task(slowly())
            await groups[0].join()
            first = await first_of(groups[0])
            assert broker.committed(f"g-{topic}", topic) > 0
            sending.cancel()
            await groups[0].leave()
            await groups[1].join()
            again: set[bytes | None] = set()
            while not first <= again:
                again |= await first_of(groups[1])
            await groups[1].leave()

        async def slowly() -> None:
            for n in range(6, 600):
                await asyncio.to_thread(broker.send, topic, *numbered(n, n + 1))

        asyncio.run(main())

    async def _until(self, group: Group, number: int) -> int:
        found = 0
        async with asyncio.timeout(60):
            while found < number:
                found += len(await group.some())
        return found

    def test_event_hubs_with_its_connection_string(self, broker: kafka.Broker, tmp_path: Path) -> None:
        """SASL PLAIN as Event Hubs asks for it; each record of an envelope is an event of its category's format."""
        hub = broker.topic("logs")
        activity = {"time": "2026-11-20T03:00:00Z", "category": "Administrative", "operationName": "a/b"}
        sign_in = {"time": "2026-11-20T03:00:01Z", "category": "SignInLogs", "properties": {"id": "日本"}}
        broker.send(
            hub,
            json.dumps({"records": [activity, sign_in, activity | {"n": 2}]}).encode(),
            b'{"category": "AuditEvent"}',
        )
        (tmp_path / "string").write_text(kafka.CONNECTION_STRING, encoding="utf-8")
        given = {
            "kind": "azure_event_hubs",
            "connection_string": f"file:{tmp_path / 'string'}",
            "hub": hub,
            "brokers": broker.tls,
            "ca": str(broker.ca),
        }
        asyncio.run(reads(AzureEventHubs.model_validate(given), tmp_path / "spool", 4))
        folder = tmp_path / "spool"
        assert sorted(json.loads(text).get("n", 1) for text in stored(folder)) == [1, 2]
        assert [json.loads(text) for text in stored(folder, origin="hub.entra")] == [sign_in]
        assert len(stored(folder, origin="hub.key_vault")) == 1


def test_settings_that_would_show_a_password() -> None:
    """PLAIN without TLS, a user without a password: refused in the user's words."""
    near = {"kind": "kafka", "brokers": ["b:9093"], "topics": ["t"], "user": "u"}
    with pytest.raises(ValidationError, match="password"):
        Kafka.model_validate(near)
    with pytest.raises(ValidationError, match="tls: true"):
        Kafka.model_validate(near | {"password": "env:P", "mechanism": "PLAIN", "tls": False})


def test_a_connection_string_that_is_none(tmp_path: Path) -> None:
    """The reference is named, never its content."""
    (tmp_path / "string").write_text("S3cret", encoding="utf-8")
    given = {"kind": "azure_event_hubs", "connection_string": f"file:{tmp_path / 'string'}", "hub": "h"}
    with pytest.raises(ConfigError) as said:
        AzureEventHubs.model_validate(given).connection()
    assert "接続文字列" in said.value.ja and "S3cret" not in str(said.value)


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        (
            b'{"records":[{"a":1},{"a":12345678901234567890123}]}',
            [b'{"a":1}', b'{"a":12345678901234567890123}'],
        ),
        (b'[{"a":1}]', [b'{"a":1}']),
        (b'\xef\xbb\xbf {"Records": [{"a":1}]}', [b'{"a":1}']),
        (b'{"records":[{"a":1},{"a":}', [b'{"records":[{"a":1},{"a":}']),
        (b'{"records":[]}', [b'{"records":[]}']),
        (b"plain\r\ntext\n", [b"plain text"]),
        (b"\xff\xfe", [b"\xff\xfe"]),
    ],
)
def test_envelopes(payload: bytes, lines: list[bytes]) -> None:
    """Records as they stand there; what is no whole envelope stays one line."""
    assert [line for line, _ in records(payload)] == lines


def test_they_are_kinds() -> None:
    """Found by being in the folder."""
    assert kinds()["kafka"] is Kafka and kinds()["azure_event_hubs"] is AzureEventHubs
