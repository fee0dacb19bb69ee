"""AWS: CloudTrail and other logs that AWS services write into S3 buckets, told by an SQS queue.

Facts: AWS, "Amazon S3 Event Notifications", "CloudTrail log file name format" and the same of VPC flow logs, load balancers,
WAF, GuardDuty and Network Firewall (`AWSLogs/<account>/<service>/…`); that of Route 53 Resolver's query logs was read in
public code only. A message is deleted when the records of its objects are spooled; until then it stays ours. What cannot
be read is tried `attempts` times and then kept as a dead letter that names the object, which stays in its bucket. Needs
sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue, s3:GetObject on the buckets, and
kms:Decrypt where they are encrypted with a key of one's own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from collectors import unopened
from collectors.aws.account import Account, clients
from collectors.aws.notices import NoNotice, Place, places
from collectors.aws.objects import Portion, Unreadable, portions
from collectors.aws.queue import Message, Queue
from collectors.aws.refusal import NoSuchObject, said, told
from collectors.pulls.pull import Cursor, Page, Pull
from collectors.pulls.routes import OTHERS, of_others
from collectors.pulls.work import Work
from collectors.unopened import Unopened
from collectors.way_out import WayOut
from hinomi.errors import Refused
from hinomi.identity import digest

FOLDERS = {
    "/CloudTrail/": "aws.cloudtrail",
    "/CloudTrail-Insight/": "aws.cloudtrail",
    "/vpcflowlogs/": "aws.flow_logs",
    "/elasticloadbalancing/": "aws.elb",
    "/WAFLogs/": "aws.waf",
    "/GuardDuty/": "aws.guardduty",
    "/vpcdnsquerylogs/": "aws.route53_resolver",
    "/network-firewall/": "aws.network_firewall",
}
_BY_SERVICE = "/AWSLogs/"
"""Stands in the key of what an AWS service wrote by itself, before account and service."""
_NO_LOGS = {
    "/CloudTrail-Digest/": "digest_file",
    "/ELBAccessLogTestFile": "test_file",
    "/ELBConnectionLogTestFile": "test_file",
}
"""Part of a key → why there is nothing to read."""
_PATIENCE = 7
"""Further tries where AWS refuses: with the pauses doubled, a day and a half in which a permission may be granted."""
_LONGEST_PAUSE = 39_600
"""Seconds: SQS hides a message for twelve hours at most, counted from when it was received."""
_QUEUE = r"^https?://[^/@\s]+/\d{12}/[A-Za-z0-9_-]+(\.fifo)?$"


class AwsS3(WayOut, Pull):
    """`kind: aws_s3`. queue: URL of the SQS queue; region: of queue and buckets; account: who asks; folders: part of an
    object's key → format of its records (other places: `source`); others: format of what another AWS service wrote, which
    keeps all values of JSON records (`source` where only that is written); attempts: how often an object that
    cannot be read is tried; again_after: seconds until the second time, doubled each time; visible_after: seconds that a message stays ours
    without a word from us; wait: seconds that a question waits for a message."""

    kind: Literal["aws_s3"]
    source: str = "aws.cloudtrail"
    queue: str = Field(pattern=_QUEUE)
    region: str = Field(default="ap-northeast-1", pattern=r"^[a-z0-9-]+$")
    account: Account = Field(default_factory=Account)
    folders: dict[str, str] = Field(default_factory=lambda: dict(FOLDERS))
    others: str = OTHERS
    attempts: int = Field(default=5, ge=1, le=1000)
    again_after: int = Field(default=120, ge=0, le=43_200)
    visible_after: int = Field(default=300, ge=3, le=43_200)
    wait: int = Field(default=5, ge=0, le=20)
    every: float = Field(default=5.0, ge=1)

    def address(self) -> str:
        """See `Pull.address`."""
        return self.queue

    def sources(self) -> set[str]:
        """See `Pull.sources`."""
        return {*self.folders.values(), self._others}

    async def round(self, work: Work, cursor: Cursor) -> AsyncIterator[Page]:
        """See `Pull.round`: until the queue has no message for a while."""
        with said(self.queue):
            sqs, s3 = await asyncio.to_thread(clients, self.account, self.region, self)
        queue = Queue(sqs, self.queue, self.visible_after, self.wait)
        async with queue.kept():
            while messages := await queue.receive():
                for message in messages:
                    async for page in self._message(work, queue, s3, message):
                        yield page

    @cached_property
    def _others(self) -> str:
        return of_others(self, self.others)

    async def _message(self, work: Work, queue: Queue, s3: Any, message: Message) -> AsyncIterator[Page]:
        try:
            found = places(message.body)
        except NoNotice as error:
            yield self._letter(work, str(error), message.body, message.id)
            await queue.delete(message)
            return
        work.ignored(not found, "notice_of_no_object")
        for place in found:
            try:
                async for page in self._object(work, s3, place):
                    yield page
            except (Unreadable, Refused) as error:
                reason = error.reason if isinstance(error, Unreadable) else error.en
                most = self.attempts + (_PATIENCE if isinstance(error, Refused) else 0)
                if message.times < most:
                    work.failed("object_not_read")
                    work.problem = f"{place} を読めません({reason})。{message.times}/{most} 回目です。"
                    await queue.put_back(message, self._pause(message.times))
                    return
                yield self._letter(work, reason, str(place), f"{message.id} {place}")
        await queue.delete(message)

    def _pause(self, times: int) -> int:
        """Seconds until a message that was received so many times comes again: doubled each time."""
        return min(self.again_after << min(times - 1, 16), _LONGEST_PAUSE)

    async def _object(self, work: Work, s3: Any, place: Place) -> AsyncIterator[Page]:
        """The object's records, each page spooled before the next is read. Raises Unreadable, Refused, DependencyDown."""
        key = f"/{place.key}"
        if reason := next((reason for part, reason in _NO_LOGS.items() if part in key), ""):
            work.ignored(1, reason)
            return
        unnamed = self._others if _BY_SERVICE in key else self.source
        source = next((source for part, source in self.folders.items() if part in key), unnamed)
        try:
            with said(str(place)):
                answer = await asyncio.to_thread(s3.get_object, Bucket=place.bucket, Key=place.key)
        except NoSuchObject as error:
            raise Unreadable("no_such_object") from error
        with closing(answer["Body"]) as body:
            pages = portions(body, digest(str(place), answer["ETag"]))
            while (portion := await asyncio.to_thread(_next, pages, str(place))) is not None:
                yield Page(portion.payloads, portion.ids, {}, source)

    def _letter(self, work: Work, reason: str, text: str, identity: str) -> Page:
        work.failed("kept_as_dead_letter")
        line = Unopened(work.name, self.source, f"unopened: {reason}", text).line()
        return Page([line], [digest(self.queue, identity)], {}, unopened.ORIGIN)


def _next(pages: Any, what: str) -> Portion | None:
    """The next portion, None at the end; in a thread."""
    from urllib3.exceptions import HTTPError

    try:
        with said(what):
            return next(pages, None)
    except (HTTPError, OSError) as error:  # the connection broke amid the object
        raise told(error, what) from None
