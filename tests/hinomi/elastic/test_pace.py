"""How much is sent at once, without a cluster."""

from hinomi.store.elastic.pace import CONNECTIONS, LEAST, MOST, SLOW, START, Pace


def _run(pace: Pace, rate_of: dict[int, float], answers: int) -> None:
    """Answers of a cluster that takes so many bytes a second with so many connections."""
    now = 0.0
    for _ in range(answers):
        now += pace.size / rate_of[pace.connections]
        pace.took(pace.size, now)


def test_portions_grow_to_their_most_and_no_further() -> None:
    """A cluster that takes everything gets the largest portions, never more."""
    pace = Pace()
    assert pace.size == START
    _run(pace, dict.fromkeys(range(1, CONNECTIONS + 1), 1e7), 100)
    assert pace.size == MOST


def test_connections_stay_only_where_they_carry_more() -> None:
    """Where two connections carry twice as much and a third nothing, two are kept, though a third is tried."""
    pace, seen = Pace(), set()
    for _ in range(20):
        _run(pace, {1: 1e7, 2: 2e7, 3: 2e7, 4: 2e7}, 9)
        seen.add(pace.connections)
    assert pace.connections == 2 and 3 in seen
    alone = Pace()
    _run(alone, dict.fromkeys(range(1, CONNECTIONS + 1), 1e7), 200)
    assert alone.connections == 2  # one carries, the other is packed


def test_a_push_back_halves_both_at_once_and_has_a_floor() -> None:
    """One refusal halves; a hundred leave the least portion on one connection."""
    pace = Pace(size=MOST, connections=4)
    pace.back()
    assert (pace.size, pace.connections, pace.pushed_back) == (MOST // 2, 2, 1)
    for _ in range(100):
        pace.back()
    assert (pace.size, pace.connections) == (LEAST, 1)


def test_portions_that_take_long_shrink_and_grow_again() -> None:
    """A cluster that takes four seconds for a large portion gets smaller ones, until an answer takes about one; when it
    is quick again, larger ones. Others who ask it meanwhile do not wait behind seconds of our work."""
    pace, now = Pace(size=MOST), 0.0
    for _ in range(30):
        took = pace.size / (MOST / 4)
        now += took
        pace.took(pace.size, now, took)
    assert took <= SLOW and pace.size > LEAST
    for _ in range(30):
        pace.took(pace.size, now, 0.1)
    assert pace.size == MOST


def test_a_size_that_is_too_large_is_not_tried_again() -> None:
    """After a request was refused for its size, no later portion is as large, however quick the answers are."""
    pace = Pace(size=MOST)
    pace.too_large(MOST)
    for _ in range(30):
        pace.took(pace.size, 0.0, 0.1)
    assert pace.size == MOST * 3 // 4
