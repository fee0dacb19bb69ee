"""An SQS queue: what was received stays ours while we work on it, and is deleted only when it is safe.

Facts: AWS, "Amazon SQS visibility timeout" (a message that is not deleted in time comes again; ChangeMessageVisibility
makes it longer, twelve hours at most), "ReceiveMessage" (ten at most, ApproximateReceiveCount).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from collectors.aws.refusal import said
from hinomi.errors import HinomiError

_MOST = 10


@dataclass(frozen=True, slots=True)
class Message:
    """A received message. times: how often it was received, this time included."""

    id: str
    handle: str
    body: str
    times: int


@dataclass(slots=True)
class Queue:
    """One queue. visible_after: seconds until a message that is neither kept nor deleted comes again; wait: seconds that
    a question waits for a message."""

    client: Any
    url: str
    visible_after: int
    wait: int
    _held: dict[str, str] = field(default_factory=dict)

    async def receive(self) -> list[Message]:
        """Some messages, none where there is none. Raises DependencyDown or Refused."""
        answer = await self._ask(
            self.client.receive_message,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=self.wait,
            VisibilityTimeout=self.visible_after,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        found = [
            Message(
                one["MessageId"],
                one["ReceiptHandle"],
                one["Body"],
                int(one["Attributes"]["ApproximateReceiveCount"]),
            )
            for one in answer.get("Messages", [])
        ]
        self._held = {one.id: one.handle for one in found}
        return found

    async def delete(self, message: Message) -> None:
        """It is done: never again."""
        self._held.pop(message.id, None)
        await self._ask(self.client.delete_message, ReceiptHandle=message.handle)

    async def put_back(self, message: Message, seconds: int) -> None:
        """It comes again, so many seconds from now."""
        self._held.pop(message.id, None)
        await self._hide(message.handle, seconds)

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """As long as this lasts, received messages do not come again to others."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.visible_after / 3)
            for handle in list(self._held.values()):
                with contextlib.suppress(
                    HinomiError
                ):  # then it comes again, and its records are known by their ids
                    await self._hide(handle, self.visible_after)

    async def _hide(self, handle: str, seconds: int) -> None:
        await self._ask(
            self.client.change_message_visibility, ReceiptHandle=handle, VisibilityTimeout=seconds
        )

    async def _ask(self, call: Callable[..., Any], **given: Any) -> Any:
        with said(self.url):
            return await asyncio.to_thread(call, QueueUrl=self.url, **given)
