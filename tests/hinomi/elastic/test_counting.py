"""Counting on a cluster that does not answer: what is asked of it, and what is said."""

import pytest
from elastic_transport import ConnectionError as Refused
from elasticsearch import Elasticsearch

from hinomi.errors import QueryError
from hinomi.store.elastic.asking import Asking
from hinomi.store.elastic.counting import _BUCKETS, _Bars


@pytest.fixture
def asking() -> Asking:
    return Asking(Elasticsearch("http://127.0.0.1:9", max_retries=0), "default")


@pytest.mark.parametrize("bars", [_BUCKETS, _BUCKETS // 2 + 1])
def test_too_many_bars_to_split_are_not_asked_at_once(asking: Asking, bars: int) -> None:
    """A bar is a bucket itself: with one value each these would be more than a cluster gives of one question."""
    assert _Bars(asking, {"match_all": {}}, [], {}, "user.name").split(bars) is None


def test_closing_does_not_hide_the_first_error(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error that is told is that of the question."""
    monkeypatch.setattr(Asking, "open", lambda *_: "place")
    monkeypatch.setattr(Asking, "of_moment", _fails)
    with pytest.raises(ValueError, match="the first"):
        next(asking.composed([], {}, [], {}))
    with pytest.raises(Refused):
        asking.client.close_point_in_time(id="place")


def test_counting_every_value_comes_to_an_end(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each page is full and another follows, the question is refused in words behind the last that is read, and what was
    opened for it is closed."""
    asked, closed = list[object](), list[str]()
    page = {
        "parts": {"after_key": {"part": "x"}, "buckets": [{"key": {"part": "x"}, "doc_count": 1}] * 10_000}
    }

    def counted(*_: object, **body: object) -> object:
        asked.append(body)
        return {"pit_id": "place", "aggregations": page}

    monkeypatch.setattr(Asking, "open", lambda *_: "place")
    monkeypatch.setattr(Asking, "of_moment", counted)
    monkeypatch.setattr(Asking, "close", lambda _, place: closed.append(place))
    with pytest.raises(QueryError, match="200,000 at most"):
        list(asking.composed([], {}, [], {}))
    assert len(asked) == 20 and closed == ["place"]


def _fails(*_: object, **__: object) -> None:
    raise ValueError("the first")
