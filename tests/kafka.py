"""A real Apache Kafka broker (KRaft, one node) for tests, from Maven Central, checked and kept as Elasticsearch is.

Topics and users are made over a plain listener; what is tested comes in over TLS with SASL.
"""

import atexit
import base64
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import HinomiError
from ops.elastic import maven
from ops.elastic.distribution import java
from ops.ports import free_ports
from tests import shared
from tests.collectors.transports import certificates

VERSION = "4.3.1"
ON_KAFKA = (pytest.mark.slow, pytest.mark.peer, pytest.mark.xdist_group("kafka"))
USER, PASSWORD = "hinomi", "p4ss-of-hinomi"
CONNECTION_STRING = "Endpoint=sb://city.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=k3y=;EntityPath=logs"
_JARS = Path(__file__).with_name("kafka_jars.txt")
_JVM = ("-Xmx256m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@dataclass(frozen=True, slots=True)
class Broker:
    """plain, tls: host:port of the listeners; ca: who signed the broker's certificate."""

    folder: Path
    plain: str
    tls: str
    ca: Path

    def topic(self, name: str, partitions: int = 2) -> str:
        """A new topic."""
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.plain})
        for made in admin.create_topics([NewTopic(name, partitions, 1)]).values():
            made.result(30)
        return name

    def send(self, topic: str, *payloads: bytes | None, **more: Any) -> None:
        """Messages, acknowledged by the broker."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.plain, "acks": "all", **more})
        for number, payload in enumerate(payloads):
            producer.produce(topic, payload, partition=number % 2)
            producer.poll(0)
        assert producer.flush(60) == 0

    def delete(self, topic: str, partition: int, before: int) -> None:
        """What retention would delete: the messages of a partition before an offset."""
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.plain})
        for done in admin.delete_records([TopicPartition(topic, partition, before)]).values():
            done.result(30)

    def committed(self, group: str, topic: str, partitions: int = 2) -> int:
        """Sum of the offsets that a group committed."""
        from confluent_kafka import Consumer, TopicPartition

        asking = Consumer({"bootstrap.servers": self.plain, "group.id": group})
        try:
            found = asking.committed([TopicPartition(topic, n) for n in range(partitions)], timeout=30)
            return sum(max(one.offset, 0) for one in found)
        finally:
            asking.close()


@cache
def running() -> Broker:
    """The broker. Skips where there can be none; fails under HINOMI_REQUIRE=all."""
    try:
        jars = _fetched()
        return _started(jars, java(17))
    except (HinomiError, OSError) as error:
        shared.missing(f"Kafka: {error}")
        raise AssertionError("unreachable") from error


def _fetched() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hinomi" / f"kafka-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [line.split() for line in _JARS.read_text(encoding="utf-8").splitlines()]
    left = [(path, digest) for path, digest in wanted if not (folder / Path(path).name).exists()]
    if left and os.environ.get("HINOMI_REQUIRE") != "all":
        raise OSError(f"Kafka {VERSION} is not fetched yet (HINOMI_REQUIRE=all fetches it)")
    with ThreadPoolExecutor(4) as four:
        list(four.map(lambda one: maven.fetched(*one, folder), left))
    return folder


def _started(jars: Path, program: Path) -> Broker:
    folder = Path(tempfile.mkdtemp(prefix="hinomi-kafka-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the broker was stopped
    ports, made = free_ports(3), certificates.make(folder / "tls")
    (folder / "server.pem").write_bytes(made["key"].read_bytes() + made["cert"].read_bytes())
    settings = folder / "server.properties"
    settings.write_text(_settings(folder, *ports), encoding="utf-8")
    run = [str(program), *_JVM, "-cp", f"{jars}/*"]
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    scram = [
        part
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for part in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
    ]
    made_ready = [*run, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(settings), *scram]
    subprocess.run(made_ready, check=True, capture_output=True, timeout=120)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*run, "kafka.Kafka", str(settings)], stdout=log, stderr=log)
    atexit.register(_stop, process)
    broker = Broker(folder, f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}", made["ca"])
    _answers(broker, process)
    return broker


def _settings(folder: Path, plain: int, tls: int, controller: int) -> str:
    signs = "org.apache.kafka.common.security"
    own = CONNECTION_STRING.replace('"', "")
    return "\n".join(
        [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{tls}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "controller.listener.names=CONTROLLER",
            f"log.dirs={folder / 'data'}",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            "auto.create.topics.enable=false",
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={folder / 'server.pem'}",
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={signs}.scram.ScramLoginModule required;",
            f"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={signs}.scram.ScramLoginModule required;",
            f"listener.name.sasl_ssl.plain.sasl.jaas.config={signs}.plain.PlainLoginModule required "
            f'user_{USER}="{PASSWORD}" user_$ConnectionString="{own}";',
            "",
        ]
    )


def _answers(broker: Broker, process: "subprocess.Popen[bytes]") -> None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    for _ in range(60):
        if process.poll() is not None:
            break
        try:
            AdminClient({"bootstrap.servers": broker.plain, "log_level": 0}).list_topics(timeout=1)
        except KafkaException:
            time.sleep(0.3)
        else:
            return
    _stop(process)
    raise OSError((broker.folder / "log").read_text(encoding="utf-8", errors="replace")[-500:])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
