"""Kafka: the messages of topics, each one event, read as a member of a consumer group.

Facts: Apache Kafka documentation, "Security" (TLS, SASL PLAIN and SCRAM) and "Design: message delivery semantics".
Offsets are committed when the messages are spooled; a message is known by
topic, partition, offset and time (a topic that was made anew counts from zero). Needs READ on the
topics and on the group.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from collectors.kafka.consumer import Deleted, Group, Received
from collectors.kafka.envelope import one_line, records
from collectors.pulls.findings import Finding
from collectors.pulls.pull import Cursor, Page, Pull
from collectors.pulls.work import Work
from hinomi.identity import digest
from hinomi.secret import Secret

_KIB = 1024
_Records = Iterator[tuple[bytes, Any]]


class KafkaReader(Pull):
    """What Kafka and Event Hubs share. start: where a new group begins; group: name of the consumer group; ca: PEM file
    of the only authority trusted; envelope: messages hold `{"records": […]}`, each of which is an event; gone_after:
    seconds of silence after which the broker gives a dead member's share to others."""

    group: str = Field(default="hinomi", pattern=r"^[A-Za-z0-9$._-]{1,249}$")
    start: Literal["earliest", "latest"] = "earliest"
    envelope: bool = False
    ca: Path | None = None
    gone_after: float = Field(default=30.0, ge=2, le=300)
    every: float = Field(default=5.0, ge=1)
    _begun: dict[tuple[str, int], int] = PrivateAttr(default_factory=dict)

    def read_topics(self) -> list[str]:
        """Which topics."""
        raise NotImplementedError

    def connection(self) -> dict[str, Any]:
        """How it connects, as librdkafka calls it. Raises ConfigError."""
        raise NotImplementedError

    def source_of(self, record: Any) -> str:
        """The format of a record; empty: the pull's own."""
        return ""

    def sender(self, topic: str) -> str:
        """Whose a message of that topic is taken to be: of one format, where the format is to be recognised."""
        return self.address()

    async def round(self, work: Work, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.round`: for ever, as a member of the group."""
        settings = {**self._common(), **self.connection()}
        group = Group(settings, self.read_topics(), self.address(), begun=self._begun)
        await group.join()
        try:
            while True:
                messages = await group.some()
                if lost := tuple(map(_gone, group.deleted)):
                    yield Page([], [], {}, findings=lost)
                    group.deleted.clear()
                for page in self._pages(work, messages):
                    yield page
                if not messages:
                    yield Page([], [], {})  # all is well, and nothing came
                elif not await group.done(messages):
                    work.failed("committed_too_late")
        finally:
            await group.leave()

    def _common(self) -> dict[str, Any]:
        return {
            "group.id": self.group,
            "client.id": "hinomi",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": self.start,
            "partition.assignment.strategy": "cooperative-sticky",
            "queued.max.messages.kbytes": 16 * _KIB,  # what the library holds ahead of us
            "fetch.message.max.bytes": _KIB * _KIB,
            "max.poll.interval.ms": 900_000,  # a full spool makes us wait; later than that another member takes over
            "session.timeout.ms": int(self.gone_after * 1000),
            "heartbeat.interval.ms": int(self.gone_after * 1000 / 4),
            "socket.keepalive.enable": True,
            "broker.address.family": "any",
        }

    def _pages(self, work: Work, messages: list[Received]) -> Iterator[Page]:
        """The messages as pages of one format and sender each, in order."""
        found: dict[tuple[str, str], Page] = {}
        for message in messages:
            value = message.value()
            if value is None or not value.strip():
                work.ignored(1, "empty_message")
                continue
            place = (
                message.topic(),
                str(message.partition()),
                str(message.offset()),
                str(message.timestamp()[1]),
            )
            for number, (line, record) in enumerate(self._records(value)):
                source = self.source_of(record) or self.source
                sender = self.sender(message.topic())
                page = found.setdefault((source, sender), Page([], [], {}, source, sender))
                page.payloads.append(line)
                page.ids.append(digest(self.address(), *place, str(number)))
        yield from found.values()

    def _records(self, value: bytes) -> _Records:
        return records(value) if self.envelope else iter([(one_line(value), None)])


def _gone(one: Deleted) -> Finding:
    stream = f"{one.topic}/{one.partition}"
    return Finding("messages_gone", stream, f"{one.start}-{one.end}", n=one.end - one.start)


class Kafka(KafkaReader):
    """`kind: kafka`. brokers: host:port of some; topics: names, or patterns that begin with ^; tls: false only inside a
    network that is trusted; user and password: SASL by `mechanism`."""

    kind: Literal["kafka"]
    source: str = "auto"
    brokers: list[str] = Field(min_length=1)
    topics: list[str] = Field(min_length=1)
    tls: bool = True
    user: str | None = None
    password: Secret | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"

    @model_validator(mode="after")
    def _told_whole(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user と password は両方書いてください。|user and password belong together")
        if self.user and self.mechanism == "PLAIN" and not self.tls:
            raise ValueError(
                "mechanism: PLAIN はパスワードをそのまま送るので、tls: true が必要です。"
                "|mechanism: PLAIN sends the password as it is and needs tls: true"
            )
        return self

    def address(self) -> str:
        """See `Pull.address`."""
        return ",".join(self.brokers)

    def read_topics(self) -> list[str]:
        """See `KafkaReader.read_topics`."""
        return self.topics

    def sender(self, topic: str) -> str:
        """See `KafkaReader.sender`."""
        return topic

    def connection(self) -> dict[str, Any]:
        """See `KafkaReader.connection`."""
        signs = self.user is not None and self.password is not None
        protocol = {(False, False): "PLAINTEXT", (True, False): "SSL", (False, True): "SASL_PLAINTEXT"}
        found: dict[str, Any] = {
            "bootstrap.servers": self.address(),
            "security.protocol": protocol.get((self.tls, signs), "SASL_SSL"),
        }
        if self.tls:
            found["ssl.ca.location"] = str(self.ca) if self.ca else "probe"
        if self.user is not None and self.password is not None:
            found |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.user,
                "sasl.password": self.password.reveal(),
            }
        return found
