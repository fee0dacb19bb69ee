"""SQS, S3, STS and IAM as moto's server speaks them: written by others, it checks signatures and permissions.

Before it stands a gate that answers in its place where a test wants trouble (throttling, 5xx, broken answers).
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import httpx
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
Answer = tuple[str, str]
"""Status line and body."""
BUSY: Answer = (
    "400 Bad Request",
    json.dumps({"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slow"}),
)
AWAY: Answer = ("503 Service Unavailable", "<Error><Code>SlowDown</Code></Error>")


@dataclass(slots=True)
class Aws:
    """trouble(operation): an answer instead of moto's, or None. asked: operations, in order."""

    url: str = ""
    trouble: Callable[[str], Answer | None] = lambda operation: None
    asked: list[str] = field(default_factory=list)
    key: str = "unknown"
    secret: str = "unknown"
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client of the user who may do everything."""
        if (made := self._clients.get((service, self.key))) is None:
            session = botocore.session.Session()
            made = self._clients[service, self.key] = session.create_client(
                service,
                region_name=REGION,
                endpoint_url=self.url,
                aws_access_key_id=self.key,
                aws_secret_access_key=self.secret,
            )
        return made

    def enforce(self, after: int) -> None:
        """Check signature and permission of each question after so many more."""
        httpx.post(f"{self.url}/moto-api/reset-auth", content=str(after))

    def user(self, name: str, *actions: str, resource: str = "*") -> tuple[str, str]:
        """A new user with these permissions: key id and secret."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """The gate."""
        operation = _operation(environ)
        self.asked.append(operation)
        instead = self.trouble(operation)
        if instead is not None:
            start(instead[0], [("Content-Type", "application/x-amz-json-1.0")])
            return [instead[1].encode()]
        found: Iterable[bytes] = _MOTO(environ, start)
        return found


_MOTO = DomainDispatcherApplication(create_backend_app)


def _operation(environ: dict[str, Any]) -> str:
    """`ReceiveMessage`, `GET /bucket/key`."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    return target.rpartition(".")[2] or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


@contextmanager
def aws() -> Iterator[Aws]:
    """A server of its own; moto's state is that of the process, so names are to be a test's own."""
    gate = Aws()
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    gate.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        gate.enforce(1_000_000)
        gate.key, gate.secret = gate.user(f"admin-{server.server_port}", "*")
        gate.enforce(0)
        yield gate
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass(slots=True)
class Trail:
    """A bucket with a queue beside it. seconds: visibility timeout of the queue."""

    there: Aws
    name: str
    queue: str = ""

    def make(self) -> "Trail":
        """Make them."""
        self.there.client("s3").create_bucket(
            Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.queue = self.there.client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        return self

    def put(self, key: str, content: bytes, **more: Any) -> str:
        """An object, without a word to the queue; its key."""
        self.there.client("s3").put_object(Bucket=self.name, Key=key, Body=content, **more)
        return key

    def tell(self, notice: object) -> None:
        """A message on the queue."""
        text = notice if isinstance(notice, str) else json.dumps(notice)
        self.there.client("sqs").send_message(QueueUrl=self.queue, MessageBody=text)

    def left(self) -> tuple[int, int]:
        """Messages that wait, and that somebody holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.there.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return tuple(int(found["Attributes"][name]) for name in names)  # type: ignore[return-value]


def by_s3(bucket: str, *keys: str, event: str = "ObjectCreated:Put") -> dict[str, Any]:
    """S3's own notice; keys come URL-encoded."""
    from urllib.parse import quote_plus

    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": REGION,
                "eventName": event,
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 1}},
            }
            for key in keys
        ]
    }


def by_sns(inner: object) -> dict[str, Any]:
    """Wrapped by a topic."""
    return {"Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Message": json.dumps(inner)}


def by_eventbridge(bucket: str, key: str) -> dict[str, Any]:
    """A rule's target."""
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    return {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail}


def record(number: int, **more: Any) -> dict[str, Any]:
    """A CloudTrail record."""
    return {
        "eventVersion": "1.08",
        "eventTime": f"2026-11-20T03:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateAccessKey",
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": {"type": "IAMUser", "userName": f"u{number}", "accountId": ACCOUNT},
        "eventID": f"e{number}",
        "recipientAccountId": ACCOUNT,
        "requestParameters": {"説明": '日本語 ] } , \\" の値'},
        **more,
    }


def cloudtrail(numbers: Iterable[int]) -> bytes:
    """A log file of CloudTrail with these records."""
    return gzip.compress(json.dumps({"Records": [record(n) for n in numbers]}, ensure_ascii=False).encode())


def trail_key(number: int) -> str:
    """A key as CloudTrail names its files."""
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/20/{ACCOUNT}_CloudTrail_{number}.json.gz"
