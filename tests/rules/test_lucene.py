"""Sigma inside Elasticsearch against our own engine: the same rules over the same attack samples, rule by rule."""

import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import NAMESPACE_URL, uuid5

import polars as pl
import pytest

from collectors.hunt_input import HuntInput
from hinomi import ecs
from hinomi.batch import Batch
from hinomi.errors import ContentError
from hinomi.store.elastic import dsl
from hinomi.store.elastic.events import ElasticEvents
from rules import engine, lucene
from rules.engine import logsource
from tests import elastic, shared

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SAMPLES, RULES, OTHERS = 40, 150, 50

RULE = """
title: t
id: 5013fa2e-5b49-4a1f-a1b9-6b7a9f6fbd01
logsource: {product: hinomi, service: linux.auth}
detection:
  selection:
%s
  condition: %s
level: low
"""


_BELOW_FIVE = r"""((hinomi.some.count.\~number:<5 OR hinomi.some.count.number:["-1.7976931348623157e+308" TO "+5.0"}))"""


def _one(detection: str, condition: str = "selection") -> str:
    """The query string of a rule with this selection."""
    [query] = lucene.queries(lucene.read(RULE % (detection, condition)), logsource.read())
    return str(query.body["bool"]["filter"][0]["query_string"]["query"])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("notepad", "(user.name:/[nN]/)"),
        ("epad AND NOT notepad", "((user.name:/[eE]/) AND (*:* AND NOT (user.name:/[nN]/)))"),
        ("検索", "(user.name:/[kK]/)"),
        ("検索 and not 1 of filter_*", "((user.name:/[kK]/) AND (*:* AND NOT ((*:* AND NOT *:*))))"),
    ],
)
def test_conditions_are_read_as_the_engine_reads_them(condition: str, expected: str) -> None:
    """pySigma took `notepad` for `not epad`, refused Japanese names and capitals, and looked for the word None in the line."""
    searches = "    user.name: k\n  notepad:\n    user.name: n\n  epad:\n    user.name: e"
    text = (RULE % (searches, condition)).replace("  selection:", "  検索:")
    [query] = lucene.queries(lucene.read(text), logsource.read())
    said = str(query.body["bool"]["filter"][0]["query_string"]["query"])
    assert said.replace("(", "").replace(")", "") == expected.replace("(", "").replace(")", "")


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("    user.name: a1/b", r"(user.name:/[aA]1\/[bB]/)"),
        ("    user.name|contains: 'x y'", r"(user.name:/.*[xX] [yY].*/)"),
        ("    source.ip|cidr: 10.0.0.0/8", r"(source.ip:10.0.0.0\/8)"),
        ("    destination.port|gte: 443", r"(destination.port:>=443)"),
        ("    hinomi.some.count|lt: 5", _BELOW_FIVE),
        ("    user.audit.id|lt: 5", _BELOW_FIVE.replace("hinomi.some.count", "user.audit.id")),
        ("    user.name|cased: Ab", r"(user.name:/Ab/)"),
        ("    user.name|re: '^a.c$'", r"(user.name:/(a.c)/)"),
        ("    user.name: ''", r"(user.name:/()/)"),
    ],
)
def test_each_kind_of_value(detection: str, expected: str) -> None:
    """Values become what the index can answer: case does not count, addresses are networks, vendor numbers numbers."""
    assert _one(detection) == expected


@pytest.mark.parametrize(
    ("detection", "line", "message"),
    [
        ("['a b']", r".*[aA] [bB].*", r".*[aA] [bB].*"),
        (r"['a\b']", r".*[aA][\\]?[\\][bB].*", r".*[aA][\\][bB].*"),
        ("['é']", r".*([éÉ]|[\\][uU]00[eE]9).*", ".*[éÉ].*"),
        ("{'|cased': Ab}", ".*Ab.*", ".*Ab.*"),
        ("{'|re': 'a.b'}", ".*(a.b).*", ".*(a.b).*"),
        ("[443]", ".*443.*", ".*443.*"),
    ],
)
def test_keywords_are_looked_for_in_the_line_and_the_message(detection: str, line: str, message: str) -> None:
    """What a line says, as it stands or as JSON writes it; case counts only where the rule says so."""
    found = _one("    " + detection)
    assert found == rf"((event.original:/{line}/ OR message:/{message}/))"


def test_a_negation_stands_alone() -> None:
    """`not` is taken from everything: alone, Lucene's would match nothing."""
    assert _one("    user.name: a", "not selection") == "((*:* AND NOT (user.name:/[aA]/)))"


@pytest.mark.parametrize(
    "detection",
    ["    user.name|fieldref: host.name", "    user.name|re: 'a(?=b)'", "    user.name|re: '\\bx'"],
)
def test_what_lucene_cannot_say_is_refused_with_the_reason(detection: str) -> None:
    """Field references and Perl's expressions are an error, never a query that says less."""
    with pytest.raises(ContentError, match="Lucene"):
        _one(detection)


@pytest.mark.parametrize(
    "detection",
    [
        "    user.name: {long}",
        "    user.name|contains: '{long}'",
        "    user.name|re: '{long}'",
        "    user.name|cased: {long}",
        "    ['{long}']",
    ],
)
def test_what_would_end_a_node_is_refused(detection: str) -> None:
    """Of an expression of several thousand signs a node of Elasticsearch dies; 500 are taken, not one more."""
    most = dsl.LONGEST
    assert "/" in _one(detection.format(long="a" * (most - 2)))
    with pytest.raises(ContentError, match=f"take {most} signs"):
        _one(detection.format(long="a" * (most + 1)))


@dataclass
class Both:
    """The same events in memory and in a real Elasticsearch."""

    batches: list[Batch]
    store: ElasticEvents


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    folder = shared.corpus("evtx")
    files = sorted(folder.rglob("*.evtx"))
    paths = Random(7).sample(files, min(SAMPLES, len(files)))
    batches = [_dated(batch) for batch in HuntInput().batches(paths)]
    store = ElasticEvents(elastic.client(), f"l{secrets.token_hex(5)}", refresh=True)
    store.prepare(replicas=0)
    store.append(batches)
    yield Both(batches, store)
    store.close()


def _dated(batch: Batch) -> Batch:
    """All on one day: samples of many years would make an index a day."""
    frame = batch.frame.with_columns(
        pl.lit(NOW).cast(ecs.TIME).alias("@timestamp"), pl.lit(NOW).cast(ecs.TIME).alias("event.ingested")
    )
    return Batch(batch.dataset, frame)


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.elastic
@pytest.mark.xdist_group("elasticsearch")
def test_differential_over_attack_samples(both: Both, tmp_path: Path) -> None:
    """Every public Windows rule that hits, and a sample of those that do not: the same events by both, rule by rule.

    A rule that Lucene cannot say is counted with its reason; any other difference fails.
    """
    loaded = engine.load([shared.corpus("sigma") / "rules" / "windows"], cache=tmp_path)
    hits: dict[str, set[str]] = defaultdict(set)
    for batch in both.batches:
        ids = batch.frame["event.id"]
        for rule, rows in loaded.match(batch).hits:
            hits[str(rule.path)].update(ids[rows.tolist()].to_list())
    quiet = [str(rule.path) for rule in loaded.rules if rule.feeds and str(rule.path) not in hits]
    paths = [*sorted(hits)[:RULES], *Random(7).sample(sorted(set(quiet)), OTHERS)]
    tables, refused, wrong, same = logsource.read(), Counter[str](), {}, 0
    for path in paths:
        try:
            found = _found(both.store, path, tables)
        except ContentError as error:
            refused[re.sub(r":? .*", "", error.en.rpartition(": ")[2])[:60]] += 1
            continue
        if found != hits.get(path, set()):
            wrong[Path(path).name] = (len(hits.get(path, set())), len(found))
        same += found == hits.get(path, set())
    print(f"{same} rules the same, refused {dict(refused)}, different {wrong}")
    assert not wrong
    assert same >= 0.8 * len(paths) and len(hits) > 20


def _found(store: ElasticEvents, path: str, tables: logsource.Tables) -> set[str]:
    found: set[str] = set()
    for query in lucene.queries(lucene.read(Path(path).read_text(encoding="utf-8")), tables):
        for frame in store.matching(query.body, dataset=query.dataset, columns=["event.id"]):
            found.update(frame["event.id"].to_list())
    return found


def test_the_rule_asked_for_is_the_one_that_is_read() -> None:
    """Of a file with several rules each is its own query: the second's was the first's."""
    one, two = (str(uuid5(NAMESPACE_URL, name)) for name in ("one", "two"))
    both = "\n---\n".join(
        f"title: T\nid: {identity}\nlogsource: {{product: hinomi, service: linux.auth}}\n"
        f"detection: {{s: {{user.name: {name}}}, condition: s}}"
        for identity, name in ((one, "first"), (two, "second"))
    )
    for identity, name in ((one, "[fF][iI][rR][sS][tT]"), (two, "[sS][eE][cC][oO][nN][dD]")):
        [query] = lucene.queries(lucene.read(both, identity), logsource.read())
        assert name in str(query.body)
    with pytest.raises(ContentError):
        lucene.read(both, str(uuid5(NAMESPACE_URL, "three")))
