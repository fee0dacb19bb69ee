"""CloudTrail and its kin from S3 by an SQS queue: every form of notice, nothing lost, nothing doubled, never deleted early."""

import asyncio
import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from collectors import catalogue, unopened
from collectors.aws.objects import portions
from collectors.aws.queue import Message, Queue
from collectors.pulls import kinds
from collectors.pulls.aws_s3 import AwsS3
from collectors.pulls.run import serve_pulls
from collectors.spool import Spool
from collectors.transports.health import Health, ListenerHealth
from collectors.transports.inlet import Inlet
from hinomi import yamlfile
from hinomi.clock import SystemClock
from hinomi.errors import DependencyDown, Refused
from hinomi.ledger import Ledger
from tests.collectors.pulls.aws_child import rounds
from tests.collectors.pulls.child import spooled
from tests.collectors.pulls.peers import aws as peer
from tests.collectors.pulls.peers.aws import Aws, Trail, by_eventbridge, by_s3, by_sns, trail_key

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "s3:GetObject")


@pytest.fixture(scope="module")
def there() -> Iterator[Aws]:
    """One server for all."""
    with peer.aws() as found:
        yield found


@pytest.fixture
def trail(there: Aws, request: pytest.FixtureRequest) -> Trail:
    """A bucket and queue of the test's own."""
    there.trouble = lambda operation: None
    there.asked.clear()
    return Trail(there, request.node.name.replace("_", "-")[:60].rstrip("-")).make()


class Puller:
    """One process after another that pulls; what outlives them is the spool."""

    def __init__(self, trail: Trail, folder: Path, **more: Any) -> None:
        self.folder = folder / "pull"
        self.ledger = Ledger()
        self.health = ListenerHealth("aws", "aws_s3")
        key, secret = trail.there.user(f"reader-{trail.name}", *READS)
        self.settings = settings(trail, folder, key, secret, **more)
        self.pull = AwsS3.model_validate(self.settings)

    def rounds(self) -> None:
        """One round in a process's place."""
        asyncio.run(rounds(self.pull, self.folder, self.ledger, self.health))

    def counted(self) -> dict[str, int]:
        """What was dropped, by reason."""
        return {line.reason: n for line, n in self.ledger.counts.items() if line.what == "dropped"}

    def stored(self, origin: str = "aws") -> list[str]:
        """As the store keeps it: each id once."""
        found = {identity: text for identity, where, text in spooled(self.folder) if where == origin}
        return list(found.values())

    def letters(self) -> list[dict[str, str]]:
        """What could not be opened."""
        return [json.loads(text) for text in self.stored(unopened.ORIGIN)]


def settings(trail: Trail, folder: Path, key: str, secret: str, **more: Any) -> dict[str, Any]:
    """Of a pull of that queue."""
    (folder / "secret").write_text(secret, encoding="utf-8")
    url = trail.there.url
    account = {
        "access_key_id": key,
        "secret_access_key": f"file:{folder / 'secret'}",
        "endpoints": {"s3": url, "sqs": url, "sts": url},
    }
    given = {
        "kind": "aws_s3",
        "queue": trail.queue,
        "account": account,
        "again_after": 0,
        "attempts": 2,
        "wait": 0,
    }
    return given | more


def names(texts: list[str]) -> Counter[str]:
    """How often each event stands in these lines."""
    return Counter(json.loads(text)["eventID"] for text in texts)


def numbered(n: int) -> dict[str, int]:
    """Each event once."""
    return {f"e{number}": 1 for number in range(n)}


def test_every_form_of_notice(trail: Trail, tmp_path: Path) -> None:
    """S3's own, by SNS, by EventBridge, CloudTrail's own, several objects in one; keys with blanks, plus and Japanese.
    Test messages and removals bring nothing and are counted; every message is gone at the end."""
    keys = [trail.put(f"{trail_key(n)} 市+役所 {n}", peer.cloudtrail([n])) for n in range(6)]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}
    keys.append(trail.put(trail_key(6), peer.cloudtrail([6]), **encrypted))
    trail.tell(by_s3(trail.name, keys[0], keys[1]))
    trail.tell(by_sns(by_s3(trail.name, keys[2])))
    trail.tell(by_eventbridge(trail.name, keys[3]))
    trail.tell(by_sns(by_eventbridge(trail.name, keys[4])))
    trail.tell(by_sns({"s3Bucket": trail.name, "s3ObjectKey": [keys[5], keys[6]]}))
    trail.tell({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": trail.name})
    trail.tell(by_s3(trail.name, keys[0], event="ObjectRemoved:Delete"))
    puller = Puller(trail, tmp_path)
    puller.rounds()
    assert names(puller.stored()) == numbered(7)
    assert trail.left() == (0, 0)
    assert "日本語 ] }" in puller.stored()[0]
    assert puller.counted() == {"notice_of_no_object": 2}


def test_objects_go_to_their_formats(trail: Trail, tmp_path: Path) -> None:
    """By their folders, VPC flows with default and custom fields; a service that no source reads is kept apart from
    CloudTrail; digest files are none."""
    head = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    flow = "2 123456789012 eni-1a 10.0.0.1 203.0.113.9 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK"
    own = "version vpc-id srcaddr dstaddr action\n5 vpc-1 10.0.0.2 203.0.113.8 REJECT\n"
    logs = f"AWSLogs/{peer.ACCOUNT}"
    held = {
        f"{logs}/vpcflowlogs/{peer.REGION}/a.log.gz": gzip.compress(f"{head}\n{flow}\n".encode()),
        f"{logs}/vpcflowlogs/{peer.REGION}/b.log": own.encode(),
        f"{logs}/WAFLogs/{peer.REGION}/acl/w.log.gz": gzip.compress(b'{"timestamp":1}\n{"timestamp":2}\n'),
        f"{logs}/GuardDuty/{peer.REGION}/g.jsonl.gz": gzip.compress(b'{"id":"g"}\n'),
        f"{logs}/vpcdnsquerylogs/vpc-1/2026/11/20/q.log.gz": gzip.compress(b'{"query_name":"a.example."}\n'),
        f"{logs}/network-firewall/alert/{peer.REGION}/fw/n.log.gz": gzip.compress(
            b'{"firewall_name":"fw"}\n'
        ),
        f"{logs}/Config/{peer.REGION}/c.json.gz": gzip.compress(b'{"configurationItems":[]}'),
        f"{logs}/CloudTrail-Digest/{peer.REGION}/d.json.gz": gzip.compress(b"{}"),
        trail_key(0): peer.cloudtrail([0]),
    }
    trail.tell(by_s3(trail.name, *(trail.put(key, content) for key, content in held.items())))
    puller = Puller(trail, tmp_path)
    puller.rounds()
    assert puller.stored("aws.flow_logs") == [
        flow,
        '{"version":"5","vpc-id":"vpc-1","srcaddr":"10.0.0.2","dstaddr":"203.0.113.8","action":"REJECT"}',
    ]
    assert len(puller.stored("aws.waf")) == 2
    assert puller.stored("aws.guardduty") == ['{"id":"g"}']
    assert puller.stored("aws.route53_resolver") == ['{"query_name":"a.example."}']
    assert puller.stored("aws.network_firewall") == ['{"firewall_name":"fw"}']
    assert puller.stored("aws.json") == ['{"configurationItems":[]}']
    assert names(puller.stored()) == numbered(1)
    assert puller.counted() == {"digest_file": 1}


def test_a_service_without_a_folder_goes_to_the_format_that_a_person_wrote(
    trail: Trail, tmp_path: Path
) -> None:
    """Below AWSLogs/, where `source` is written and `others` is not."""
    key = f"AWSLogs/{peer.ACCOUNT}/Config/{peer.REGION}/c.json.gz"
    trail.tell(by_s3(trail.name, trail.put(key, gzip.compress(b'{"configurationItems":[]}'))))
    puller = Puller(trail, tmp_path, source="city.app")
    puller.rounds()
    assert puller.stored("aws") == ['{"configurationItems":[]}']


def test_a_repeated_message_is_stored_once(trail: Trail, tmp_path: Path) -> None:
    """Standard queues deliver twice at times, and two trails write one event: known by its own id, in any process."""
    key = trail.put(trail_key(0), peer.cloudtrail(range(3)))
    other = trail.put(trail_key(1), peer.cloudtrail(range(2, 5)))
    puller = Puller(trail, tmp_path)
    for _ in range(2):
        trail.tell(by_s3(trail.name, key))
        trail.tell(by_s3(trail.name, other))
        puller.rounds()
    assert names(puller.stored()) == numbered(5)


def test_patient_with_throttling_and_5xx(trail: Trail, tmp_path: Path) -> None:
    """Busy answers of the queue and of the bucket delay what comes, and lose nothing."""
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail(range(4)))))
    left = {"ReceiveMessage": [peer.BUSY], "GET": [peer.AWAY, peer.AWAY], "DeleteMessage": [peer.AWAY]}

    def trouble(operation: str) -> peer.Answer | None:
        waiting = left.get(operation.split()[0], [])
        return waiting.pop() if waiting else None

    trail.there.trouble = trouble
    puller = Puller(trail, tmp_path)
    puller.rounds()
    assert names(puller.stored()) == numbered(4)
    assert trail.left() == (0, 0)
    assert not any(left.values())


def test_a_dead_queue_is_said_and_tried_again_later(trail: Trail, tmp_path: Path) -> None:
    """The message names the queue, and no stack trace; the queue keeps its messages."""
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail([0]))))
    trail.there.trouble = lambda operation: peer.AWAY if operation == "ReceiveMessage" else None
    puller = Puller(trail, tmp_path)
    with pytest.raises(DependencyDown, match=trail.name):
        puller.rounds()
    trail.there.trouble = lambda operation: None
    puller.rounds()
    assert names(puller.stored()) == numbered(1)


def test_poison_becomes_a_dead_letter_with_its_reason(trail: Trail, tmp_path: Path) -> None:
    """No notice at all: at once. An object that is gone or broken: after so many tries. Each names what and why; what
    stood before a break is kept; the good message beside them is not held up; the queue is empty at the end."""
    broken = peer.cloudtrail(range(500))
    trail.tell("hello")
    trail.tell({"a": 1})
    trail.tell(by_s3(trail.name, trail_key(8)))
    trail.tell(by_s3(trail.name, trail.put(trail_key(9), broken[:-40])))
    trail.tell(
        by_s3(trail.name, trail.put(trail_key(7), gzip.compress(b'{"Records":[{"eventID":"e900"},{"a":}]}')))
    )
    trail.tell(by_s3(trail.name, trail.put(trail_key(1), peer.cloudtrail([1000]))))
    puller = Puller(trail, tmp_path)
    for _ in range(2):
        puller.rounds()
    reasons = {letter["text"]: letter["reason"] for letter in puller.letters()}
    assert reasons == {
        "hello": "unopened: not_json",
        '{"a": 1}': "unopened: not_a_notice",
        f"s3://{trail.name}/{trail_key(8)}": "unopened: no_such_object",
        f"s3://{trail.name}/{trail_key(9)}": "unopened: broken_gzip",
        f"s3://{trail.name}/{trail_key(7)}": "unopened: broken_json",
    }
    assert {letter["origin"] for letter in puller.letters()} == {"aws"}
    kept = names(puller.stored())
    assert kept["e1000"] == kept["e900"] == kept["e0"] == 1
    assert set(kept.values()) == {1}
    assert trail.left() == (0, 0)


def test_a_wrong_key_is_said_without_it(trail: Trail, tmp_path: Path) -> None:
    """A signature that does not hold: the message tells what to check, shows no secret, and nothing is deleted."""
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail([0]))))
    puller = Puller(trail, tmp_path)
    right = (tmp_path / "secret").read_text(encoding="utf-8")
    (tmp_path / "secret").write_text("wr0ng-secret", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        puller.rounds()
    assert "確かめてください" in refused.value.ja and "wr0ng" not in str(refused.value)
    (tmp_path / "secret").write_text(right, encoding="utf-8")
    puller.rounds()  # a secret that was replaced takes effect
    assert names(puller.stored()) == numbered(1)


def test_an_object_that_may_not_be_read_waits_for_the_permission(trail: Trail, tmp_path: Path) -> None:
    """The message goes back to the queue, the doctor says why, and others go on."""
    other = Trail(trail.there, f"{trail.name[:40]}-other").make()
    trail.tell(by_s3(other.name, other.put(trail_key(0), peer.cloudtrail([0]))))
    trail.tell(by_s3(trail.name, trail.put(trail_key(1), peer.cloudtrail([1]))))
    puller = Puller(trail, tmp_path, again_after=60)
    key, secret = trail.there.user(f"narrow-{trail.name}", *READS[:3])
    allowed = {"Effect": "Allow", "Action": READS[3], "Resource": f"arn:aws:s3:::{trail.name}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    trail.there.client("iam").put_user_policy(
        UserName=f"narrow-{trail.name}", PolicyName="bucket", PolicyDocument=policy
    )
    narrow = AwsS3.model_validate(settings(trail, tmp_path, key, secret, again_after=60))
    asyncio.run(rounds(narrow, puller.folder, puller.ledger, puller.health))
    assert names(puller.stored()) == {"e1": 1}
    assert not puller.letters()
    assert other.name in puller.health.problem and "AccessDenied" in puller.health.problem
    assert trail.left() == (0, 1)


def test_refused_objects_are_waited_for_longer_than_broken_ones(
    trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the settings' own values: a broken object is tried five times, one that AWS refuses for a day and a half, with
    pauses that double and that SQS still takes; then each is a dead letter with its reason."""
    pauses: dict[str, list[int]] = {}
    put_back = Queue.put_back

    async def at_once(self: Queue, message: Message, seconds: int) -> None:
        pauses.setdefault("refused" if "CloudTrail_1" in message.body else "broken", []).append(seconds)
        await put_back(self, message, 0)

    monkeypatch.setattr(Queue, "put_back", at_once)
    trail.tell(by_s3(trail.name, trail_key(0)))
    trail.tell(by_s3(trail.name, trail.put(trail_key(1), peer.cloudtrail([1]))))
    denied = ("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")
    trail.there.trouble = lambda operation: denied if operation.endswith("CloudTrail_1.json.gz") else None
    usual = {name: AwsS3.model_fields[name].default for name in ("attempts", "again_after")}
    puller = Puller(trail, tmp_path, **usual)
    puller.rounds()
    assert pauses["broken"] == [120, 240, 480, 960]
    assert pauses["refused"][:5] == [120, 240, 480, 960, 1920] and len(pauses["refused"]) == 11
    assert sum(pauses["refused"]) >= 36 * 3600 and max(pauses["refused"]) < 12 * 3600
    reasons = {letter["text"]: letter["reason"] for letter in puller.letters()}
    assert reasons.pop(f"s3://{trail.name}/{trail_key(0)}") == "unopened: no_such_object"
    assert "AccessDenied" in reasons.pop(f"s3://{trail.name}/{trail_key(1)}") and not reasons
    assert trail.left() == (0, 0)


def test_a_role_is_taken_on(trail: Trail, tmp_path: Path) -> None:
    """The user may only take on the role; the role may read."""
    there = trail.there
    iam = there.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    role = iam.create_role(
        RoleName=f"r-{trail.name}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": list(READS), "Resource": "*"}
    iam.put_role_policy(
        RoleName=f"r-{trail.name}",
        PolicyName="own",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail([0]))))
    key, secret = there.user(f"u-{trail.name}", "sts:AssumeRole")
    puller = Puller(trail, tmp_path)
    given = settings(trail, tmp_path, key, secret)
    bare = AwsS3.model_validate(given)
    with pytest.raises(Refused):
        asyncio.run(rounds(bare, puller.folder, puller.ledger, puller.health))
    given["account"] |= {"role": role, "external_id": "city"}
    asyncio.run(rounds(AwsS3.model_validate(given), puller.folder, puller.ledger, puller.health))
    assert names(puller.stored()) == numbered(1)


def test_a_message_stays_ours_while_its_object_is_long(
    trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that takes longer than the visibility timeout: the message is never seen by another meanwhile."""
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail(range(3)))))
    puller = Puller(trail, tmp_path, visible_after=3)
    seen: list[int] = []
    deliver = Inlet.deliver

    async def slow(self: Inlet, *given: Any, **more: Any) -> Any:
        for _ in range(9):
            await asyncio.sleep(0.5)
            seen.append((await asyncio.to_thread(trail.left))[0])
        return await deliver(self, *given, **more)

    monkeypatch.setattr(Inlet, "deliver", slow)
    puller.rounds()
    assert seen == [0] * 9
    assert "ChangeMessageVisibility" in trail.there.asked
    assert names(puller.stored()) == numbered(3)


def _until_visible(trail: Trail) -> None:
    """Wait until nobody holds a message: half a minute at most."""
    ends = time.monotonic() + 30
    while trail.left()[1] and time.monotonic() < ends:
        time.sleep(0.2)
    assert trail.left()[1] == 0


@pytest.mark.slow
def test_killed_between_any_two_steps(trail: Trail, tmp_path: Path) -> None:
    """kill -9 before the spool, after it, before and after the deletion: each event is there once."""
    for n in range(3):
        trail.tell(by_s3(trail.name, trail.put(trail_key(n), peer.cloudtrail(range(n * 2, n * 2 + 2)))))
    puller = Puller(trail, tmp_path, visible_after=3)
    told = json.dumps(puller.settings)
    for step in ("before_spool", "after_spool", "before_delete", "after_delete", "never"):
        _until_visible(trail)  # what the one before had in hand comes again
        command = [sys.executable, "-m", "tests.collectors.pulls.aws_child", told, str(puller.folder), step]
        ended = subprocess.run(command, timeout=120, check=False, capture_output=True, text=True)
        assert ended.returncode == (0 if step == "never" else -9), (step, ended.stderr)
    assert names(puller.stored()) == numbered(6)
    assert trail.left() == (0, 0)


def test_a_long_object_streams_through(tmp_path: Path) -> None:
    """Fifty thousand records pass in portions; no more than a few are held at a time."""
    import tracemalloc

    path = tmp_path / "big.json.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write('{"Records": [')
        for n in range(20_000):
            file.write(("," if n else "") + json.dumps(peer.record(n, responseElements={"x": "y" * 500})))
        file.write("]}")
    tracemalloc.start()
    with path.open("rb") as body:
        seen = sum(len(portion.payloads) for portion in portions(body, "x"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 20_000
    assert peak < 24 << 20


def test_flow_logs_in_parquet(trail: Trail, tmp_path: Path) -> None:
    """AWS's column names and number types, rows without data, more rows than a portion: each row is a flow, once; what is
    cut off is a dead letter."""
    rows = 2_500
    flows = pl.DataFrame(
        {
            "version": [2] * rows,
            "account_id": ["123456789012"] * rows,
            "interface_id": ["eni-1a"] * rows,
            "srcaddr": ["10.0.0.1"] * rows,
            "dstaddr": ["203.0.113.9"] * rows,
            "srcport": pl.Series(range(rows), dtype=pl.Int32),
            "dstport": [443] * rows,
            "protocol": [6] * rows,
            "packets": [10] * (rows - 1) + [None],
            "bytes": [840] * (rows - 1) + [None],
            "start": [1795144329] * rows,
            "end": [1795144389] * rows,
            "action": ["ACCEPT", "REJECT"] * (rows // 2),
            "log_status": ["OK"] * (rows - 1) + ["NODATA"],
        }
    )
    flows.write_parquet(tmp_path / "flows", compression="gzip")
    content = (tmp_path / "flows").read_bytes()
    logs = f"AWSLogs/{peer.ACCOUNT}/vpcflowlogs/{peer.REGION}"
    trail.tell(by_s3(trail.name, trail.put(f"{logs}/a.log.parquet", content)))
    trail.tell(by_s3(trail.name, trail.put(f"{logs}/b.log.parquet", content[:-100])))
    puller = Puller(trail, tmp_path)
    puller.rounds()
    lines = pl.DataFrame({"message": puller.stored("aws.flow_logs")})
    (frame,) = catalogue.find("aws.flow_logs").parse(lines).frames
    assert sorted(frame["source.port"]) == list(range(rows))
    assert frame["source.bytes"].null_count() == 1
    assert set(frame["event.outcome"]) == {"success", "failure"}
    assert [letter["reason"] for letter in puller.letters()] == ["unopened: broken_parquet"]
    assert trail.left() == (0, 0)


def test_load_balancers_logs(trail: Trail, tmp_path: Path) -> None:
    """Packed by an Application, plain by a Classic Load Balancer; AWS's test file brings nothing and is counted."""
    cases = yamlfile.read(Path("collectors/sources/aws_elb.test.yml")).value
    application, classic = (case["raw"] for case in (cases[0], cases[4]))
    logs = f"AWSLogs/{peer.ACCOUNT}"
    held = {
        f"{logs}/elasticloadbalancing/{peer.REGION}/a.log.gz": gzip.compress(f"{application}\n".encode() * 2),
        f"{logs}/elasticloadbalancing/{peer.REGION}/c.log": f"{classic}\n".encode(),
        f"{logs}/ELBAccessLogTestFile": b"Enable AccessLog for ELB",
    }
    trail.tell(by_s3(trail.name, *(trail.put(key, content) for key, content in held.items())))
    puller = Puller(trail, tmp_path)
    puller.rounds()
    assert puller.stored("aws.elb") == [application, application, classic]
    assert puller.counted() == {"test_file": 1}
    assert not puller.letters()


def test_served_as_the_pull_process_does(trail: Trail, tmp_path: Path) -> None:
    """By name from the configuration, with an origin for each format, until told to stop; the doctor sees it up."""
    trail.tell(by_s3(trail.name, trail.put(trail_key(0), peer.cloudtrail([0]))))
    flow = f"AWSLogs/{peer.ACCOUNT}/vpcflowlogs/{peer.REGION}/a.log"
    trail.tell(by_s3(trail.name, trail.put(flow, b"version srcaddr\n5 10.0.0.1\n")))
    trail.tell("nonsense")
    puller = Puller(trail, tmp_path)
    spool, stop, told = Spool(puller.folder, max_bytes=1 << 30), asyncio.Event(), list[Health]()

    async def main() -> None:
        serving = asyncio.create_task(
            serve_pulls(
                {"aws": puller.pull}, spool, Ledger(), clock=SystemClock(), ready=told.append, stop=stop
            )
        )
        async with asyncio.timeout(30):
            while len(spooled(puller.folder)) < 3 or trail.left() != (0, 0):
                await asyncio.sleep(0.1)
        stop.set()
        await serving
        await spool.close()

    asyncio.run(main())
    assert {origin for _, origin, _ in spooled(puller.folder)} == {"aws", "aws.flow_logs", unopened.ORIGIN}
    assert told[0].listeners["aws"].up and told[0].listeners["aws"].address == trail.queue


def test_it_is_a_kind() -> None:
    """Found by being in the folder."""
    assert kinds()["aws_s3"] is AwsS3
