"""Pages of a search on a real cluster: from the second on they are of one moment, and go on where that is gone."""

from pathlib import Path

from hinomi.store.elastic import schema
from hinomi.store.elastic.events import ElasticEvents
from tests import elastic
from tests.contract.test_events import batch

pytestmark = list(elastic.ON_ELASTIC)


def _open(events: ElasticEvents) -> int:
    """How many points in time are kept."""
    return len(events._moments._held)


def test_pages_are_of_one_moment_and_go_on_without_it(tmp_path: Path) -> None:
    """What comes while a person pages is on none of the later pages; another console, which has not that moment, goes on behind the
    last event; at the end nothing is kept."""
    events = ElasticEvents(elastic.client(), elastic.namespace(tmp_path), refresh=True)
    events.prepare(replicas=0)
    events.append([batch(n=30)])
    first = events.search(limit=7, oldest_first=True)
    second = events.search(limit=7, oldest_first=True, after=first.after)
    assert _open(events) == 1
    events.append([batch(n=40, first=100)])
    third = events.search(limit=7, oldest_first=True, after=second.after)
    assert (second.total, third.total) == (30, 30)

    pages, page = [first, second, third], third
    while page.after is not None:
        page = events.search(limit=7, oldest_first=True, after=page.after)
        pages.append(page)
    ids = [row["event.id"] for page in pages for row in page.rows]
    assert len(ids) == len(set(ids)) == 30 and _open(events) == 0

    other = ElasticEvents(elastic.client(), elastic.namespace(tmp_path))
    beyond = other.search(limit=7, oldest_first=True, after=third.after)
    assert beyond.total == 70
    assert not {row["event.id"] for row in beyond.rows} & set(ids[:21])
    elsewhere = events.search(limit=7, datasets=["squid.access"], after=second.after)
    assert (elsewhere.rows, elsewhere.total) == ([], 0)
    events._moments.most = 2
    for limit in (3, 4, 5, 6):
        begun = events.search(limit=limit)
        again = [events.search(limit=limit, after=begun.after) for _ in range(2)]
        assert again[0] == again[1]
    assert _open(events) == 2


def test_what_the_city_wants_otherwise_is_its_own_component(tmp_path: Path) -> None:
    """An index is made of our components and, where there is one, of the administrator's, which making ours anew leaves alone."""
    client, namespace = elastic.client(), elastic.namespace(tmp_path)
    events, own = ElasticEvents(client, namespace, refresh=True), schema.own_component(namespace)
    events.prepare(replicas=0)
    client.cluster.put_component_template(name=own, template={"settings": {"refresh_interval": "7s"}})
    events.prepare(replicas=0)
    events.append([batch(n=1)])
    [made] = client.indices.get(index=f"logs-*-{namespace}-*").values()
    settings = made["settings"]["index"]
    assert (settings["refresh_interval"], settings["codec"]) == ("7s", "best_compression")
    assert made["mappings"]["properties"]["@timestamp"]["type"] == "date_nanos"
    client.indices.delete_index_template(name=f"hinomi-events-{namespace}")
    client.cluster.delete_component_template(name=f"hinomi-events-{namespace}*")
