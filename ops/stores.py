"""Which store a tower uses, by its configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from hinomi.clock import Clock
from hinomi.config import Section
from hinomi.errors import StoreError
from hinomi.store import Events, Records
from hinomi.store.elastic.settings import ElasticSettings
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from hinomi.words import Words
from ops.journal import log
from ops.rundir import RunDir

_ASK_AGAIN = 1.0  # seconds
OLD_TEMPLATES = Words(
    "Elasticsearch の索引のひな型が以前の版のものです。何も失われませんが、新しい日の索引も以前の形で作られ、"
    "数との大小で見つからない項目が残ります。",
    "the index templates of Elasticsearch are an earlier release's; nothing is lost, but indices of new days are made by them,"
    " in which some fields are not found by comparing them with a number",
)
RENEW = Words(
    "hinomi store init を一度実行してください(動かしたままで構いません)。",
    "run hinomi store init once (everything may go on running)",
)


class StoreSettings(Section):
    """`store:` kind: embedded (files in the data folder) or elasticsearch; elasticsearch: how to reach the cluster."""

    kind: Literal["embedded", "elasticsearch"] = "embedded"
    elasticsearch: ElasticSettings | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "elasticsearch" and self.elasticsearch is None:
            raise ValueError(
                "kind が elasticsearch なら store.elasticsearch が必要です。|kind elasticsearch needs store.elasticsearch"
            )
        return self


def open_events(settings: StoreSettings, data: Path, clock: Clock) -> Events:
    """The event store; nothing is asked of a cluster yet."""
    if settings.kind == "embedded" or settings.elasticsearch is None:
        return ParquetEvents(data / "events", clock=clock, may_retype=lambda: not RunDir.held(data))
    from hinomi.store.elastic.connection import connect
    from hinomi.store.elastic.events import ElasticEvents

    return ElasticEvents(connect(settings.elasticsearch), settings.elasticsearch.namespace, clock=clock)


def open_records(
    settings: StoreSettings, data: Path, clock: Clock, *, answer: float | None = None
) -> Records:
    """The records, beside the events. answer: seconds within which a cluster must answer, asked once: for who would
    rather ask anew, over a connection that nobody else waits at."""
    if settings.kind == "embedded" or settings.elasticsearch is None:
        return SqliteRecords(data / "records.sqlite", clock=clock)
    from hinomi.store.elastic.connection import connect
    from hinomi.store.elastic.records import ElasticRecords

    client, name = connect(settings.elasticsearch, timeout=answer), settings.elasticsearch.namespace
    return ElasticRecords(client, name, clock=clock, **({"patience": 0.0} if answer else {}))


def open_keeper(settings: StoreSettings, data: Path, clock: Clock) -> Events:
    """The event store as who may delete: on a cluster the keeper, where one is configured."""
    elastic = settings.elasticsearch
    if elastic is None or elastic.keeper is None:
        return open_events(settings, data, clock)
    own = {"user": elastic.keeper.user, "password": elastic.keeper.password, "api_key": None}
    return open_events(
        settings.model_copy(update={"elasticsearch": elastic.model_copy(update=own)}), data, clock
    )


def made_ready(settings: StoreSettings, clock: Clock, rest: Callable[[float], bool]) -> bool:
    """Wait until the cluster answers: whoever starts while it is away must work as soon as it is back. rest: sleeps so
    many seconds and says whether to stop; False is given then. Raises StoreError where the cluster lacks what
    `hinomi store init` makes: without its templates, indices would get mappings by guess."""
    if settings.kind == "embedded" or settings.elasticsearch is None:
        return True
    from hinomi.store.elastic.connection import connect
    from hinomi.store.elastic.events import ElasticEvents

    events = ElasticEvents(connect(settings.elasticsearch), settings.elasticsearch.namespace, clock=clock)
    try:
        while True:
            try:
                prepared, old = events.is_prepared(), events.is_of_earlier_release()
                break
            except StoreError as error:
                log.error("store_not_reached", reason=str(error))
                if rest(_ASK_AGAIN):
                    return False
    finally:
        events.close()
    if not prepared:
        raise StoreError(
            "Elasticsearch の準備ができていません。hinomi store init を実行してください。",
            "Elasticsearch is not prepared; run hinomi store init",
        )
    if old:
        log.warning(
            "store_of_earlier_release",
            reason=f"{OLD_TEMPLATES.ja}{RENEW.ja} / {OLD_TEMPLATES.en}: {RENEW.en}",
        )
    return True
