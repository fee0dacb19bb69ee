"""A survey as the questions that it stands for, for stores and fields of which one scan cannot answer them all."""

from collections.abc import Sequence

from hinomi.store.protocols import Counted, Events, Span, Survey

_ALWAYS = {"@timestamp", "event.dataset", "event.id", "event.ingested", "event.kind", "event.original"}


def survey(
    events: Events,
    query: str,
    datasets: Sequence[str],
    span: Span,
    counted: Counted,
    limit: int,
    after: str | None,
) -> Survey:
    """See `Events.survey`. What every event has is not counted."""
    page = events.search(query, datasets=datasets, span=span, limit=limit, after=after)
    having = f"({query}) and {counted.field}: *" if query else f"{counted.field}: *"
    always = counted.field in _ALWAYS
    values_in = [name for name in counted.values_in if not datasets or name in datasets]
    return Survey(
        page,
        events.histogram(query, span=span, interval=counted.interval, datasets=datasets),
        page.total if always else events.count(having, datasets=datasets, span=span),
        events.top(counted.field, query, datasets=values_in, span=span, limit=counted.most)
        if values_in
        else [],
    )
