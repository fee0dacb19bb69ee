"""A consumer of one group: what it hands out is committed only when whoever took it says so.

Facts: librdkafka, "CONFIGURATION.md" and "INTRODUCTION.md" (consumer groups, rebalances, max.poll.interval.ms); Apache
Kafka, "Design: Consumer position". A partition that goes to another member is handed over between two `some`, when all
that was handed out is committed; where it was lost at once, the other reads some again, and ids tell what is known.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hinomi.errors import DependencyDown, HinomiError, Refused

_MOST = 2_000
_WAIT = 0.5
_LOOK = 10.0
_OLD = {
    "ILLEGAL_GENERATION",
    "UNKNOWN_MEMBER_ID",
    "REBALANCE_IN_PROGRESS",
    "_NO_OFFSET",
    "_STATE",
    "_ASSIGNMENT_LOST",
}
"""Answers to a commit that came too late: another member reads those messages now."""
_WHO = {"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "_SSL"}
_NOT_ALLOWED = {
    "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART",
    "_UNKNOWN_TOPIC", "TOPIC_EXCEPTION",
}  # fmt: skip
_PASSING = {
    "_PARTITION_EOF",
    "_MAX_POLL_EXCEEDED",
    "_TRANSPORT",
    "_RESOLVE",
    "_TIMED_OUT",
    "OFFSET_OUT_OF_RANGE",
}


class Received(Protocol):
    """A message, as confluent-kafka gives it."""

    def topic(self) -> str:
        """Of which topic."""
        ...

    def partition(self) -> int:
        """Of which partition."""
        ...

    def offset(self) -> int:
        """Its number there: with topic and partition, its identity."""
        ...

    def timestamp(self) -> tuple[int, int]:
        """Of which kind, and when: milliseconds since 1970."""
        ...

    def value(self) -> bytes | None:
        """Its content; None: a tombstone."""
        ...


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages of a partition that retention deleted before the group read them: from an offset, up to and without another."""

    topic: str
    partition: int
    start: int
    end: int


@dataclass(slots=True)
class Group:
    """A member of a consumer group. settings: as librdkafka calls them; deleted: what retention took unread, for whoever
    reads to tell and clear; begun: where it began, until the broker knows (given to the next one where this one is given up)."""

    settings: Mapping[str, Any]
    topics: list[str]
    where: str
    deleted: list[Deleted] = field(default_factory=list)
    begun: dict[tuple[str, int], int] = field(default_factory=dict)
    _consumer: Any = None
    _trouble: list[str] = field(default_factory=list)
    _next: dict[tuple[str, int], int] = field(default_factory=dict)
    _held: list[Received] = field(default_factory=list)

    async def join(self) -> None:
        """Ask for a share of the partitions."""
        await asyncio.to_thread(self._join)

    async def some(self) -> list[Received]:
        """What came meanwhile, none within half a second. Raises DependencyDown or Refused."""
        found = await asyncio.to_thread(self._consumer.consume, max(_MOST - len(self._held), 1), _WAIT)
        self._held += [message for message in found if message.error() is None]
        self._say([message.error() for message in found if message.error() is not None])
        if not await self._committed_begun():
            return []
        messages, self._held = self._held, []
        if skipped := self._skipped(messages):
            await asyncio.to_thread(self._look_again, skipped)
        return messages

    async def _committed_begun(self) -> bool:
        """Whether the broker knows where the group began, of all that is ours: before that no message is handed out, for one that
        is away then would begin at a later end. False where the members are just being told what is whose."""
        if not self.begun:
            return True
        ours = {(one.topic, one.partition) for one in self._consumer.assignment()}
        begun = {place: offset for place, offset in self.begun.items() if place in ours}
        return not begun or await self._commit(begun)

    async def done(self, messages: list[Received]) -> bool:
        """These are safe: the group goes on behind them, whatever happens to us; False: another member reads them now.
        Raises DependencyDown."""
        ends: dict[tuple[str, int], int] = {}
        for one in messages:
            ends[one.topic(), one.partition()] = one.offset() + 1
        return await self._commit(ends)

    async def _commit(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """The group goes on there. As `done`."""
        from confluent_kafka import KafkaException, TopicPartition

        places = [TopicPartition(*place, end) for place, end in ends.items()]
        try:
            await asyncio.to_thread(self._consumer.commit, offsets=places, asynchronous=False)
        except KafkaException as error:
            name = error.args[0].name()
            if name not in _OLD:
                raise self._down(name) from None
            return False
        for place in ends:
            self.begun.pop(place, None)
        return True

    async def leave(self) -> None:
        """Hand the partitions over."""
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.close)

    def _join(self) -> None:
        import logging

        from confluent_kafka import Consumer, KafkaException

        quiet = logging.getLogger("hinomi.kafka")
        quiet.setLevel(logging.CRITICAL)  # its own words may repeat settings; ours are below
        try:
            self._consumer = Consumer({**self.settings, "error_cb": self._note}, logger=quiet)
            self._consumer.subscribe(self.topics, on_assign=self._look)
        except KafkaException as error:
            name = error.args[0].name()
            raise Refused(
                f"Kafka の設定を使えません({name} {self.where})。", f"Kafka refuses the settings ({name})"
            ) from None

    @property
    def _goes_to_the_end(self) -> bool:
        """Whether the library, where an offset is there no more, goes on behind everything that still is."""
        return self.settings.get("auto.offset.reset") == "latest"

    def _skipped(self, messages: list[Received]) -> dict[tuple[str, int], tuple[int, int]]:
        """Where the offsets of a partition jump: the first that did not come, and the one that came instead."""
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for one in messages:
            place = one.topic(), one.partition()
            if one.offset() > self._next.get(place, one.offset()):
                found.setdefault(place, (self._next[place], one.offset()))
            self._next[place] = one.offset() + 1
        return found

    def _look_again(self, skipped: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        """A jump is a loss where retention overtook us; elsewhere it is compaction, or the mark of a transaction."""
        from confluent_kafka import KafkaException, TopicPartition

        for (topic, partition), (start, end) in skipped.items():
            try:
                oldest, _ = self._consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=_LOOK
                )
            except KafkaException as error:
                self._trouble.append(error.args[0].name())
            else:
                if oldest > start:
                    last = end if self._goes_to_the_end else min(oldest, end)
                    self.deleted.append(Deleted(topic, partition, start, last))

    def _look(self, consumer: Any, partitions: list[Any]) -> None:
        """Called by the library when partitions become ours, before any message of them: does the broker still have all that
        the group did not read? A group that begins at the end begins where that is now, which is committed (`some`) before a
        message is: were it left to the library, what came while it was away before its first message would be passed over."""
        from confluent_kafka import OFFSET_STORED, KafkaException, TopicPartition

        given = {(one.topic, one.partition): OFFSET_STORED for one in partitions}
        for place in given:
            self._next.pop(place, None)
        try:
            for one in consumer.committed(partitions, timeout=_LOOK):
                oldest, newest = consumer.get_watermark_offsets(one, timeout=_LOOK)
                place, offset = (one.topic, one.partition), one.offset
                if offset >= 0:  # the broker knows better
                    self.begun.pop(place, None)
                elif self._goes_to_the_end:
                    offset = given[place] = self.begun[place] = self.begun.get(place, newest)
                if 0 <= offset < oldest:
                    last = newest if self._goes_to_the_end else oldest
                    self.deleted.append(Deleted(one.topic, one.partition, offset, last))
            consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in given.items()])
        except KafkaException as error:
            self._trouble.append(error.args[0].name())

    def _note(self, error: Any) -> None:
        """Called by the library for what concerns no single message."""
        self._trouble.append(error.name())

    def _say(self, errors: list[Any]) -> None:
        """Raise what somebody must look at; what passes by itself is left to the library."""
        names = {*self._trouble, *(error.name() for error in errors)}
        self._trouble.clear()
        if who := sorted(names & _WHO):
            raise Refused(
                f"{self.where} がサインインを断りました({who[0]})。利用者名・パスワード・証明書を確かめてください。",
                f"{self.where} refused the sign-in ({who[0]}); check user name, password and certificate",
            )
        if denied := sorted(names & _NOT_ALLOWED):
            raise Refused(
                f"{self.where} が要求を断りました({denied[0]})。topics と group、付与した権限を確かめてください。",
                f"{self.where} refused ({denied[0]}); check topics, group and what was granted",
            )
        if other := sorted(names - _PASSING):
            raise self._down(other[0])

    def _down(self, name: str) -> HinomiError:
        return DependencyDown(
            f"{self.where} が応じません({name})。", f"{self.where} does not answer ({name})"
        )
