"""One record gives the same document whatever lines stand beside it."""

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from collectors import catalogue
from collectors.parse import documents
from tests.collectors.content import examples

JOINED = {"linux.auditd", "yamaha.rt", "openldap.slapd"}
"""Sources of which several lines are one event, or one line says what another means."""
_OTHERS: tuple[Any, ...] = (
    [],
    "",
    None,
    7,
    7.5,
    -1,
    2**63,
    True,
    "x",
    ["x", "y"],
    [1, None],
    [{"a": "b"}],
    {"a": ["b"]},
)


def _varied(value: Any, chance: random.Random) -> Any:
    """The same document with some of its values of another type: what a neighbour may well be."""
    if isinstance(value, dict) and value:
        return {name: _varied(inner, chance) for name, inner in value.items()}
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice(_OTHERS)
    if kind == 1:
        return [value]
    if kind == 2:
        return [value, "another"]
    return value


def _neighbours(lines: list[str]) -> Iterator[str]:
    """Records of the same shape as these, of which some values are lists, numbers, flags or objects."""
    chance = random.Random(1)
    for line in lines:
        start = line.find("{")
        try:
            document = orjson.loads(line[max(start, 0) :])
        except orjson.JSONDecodeError:
            continue
        yield line[: max(start, 0)] + orjson.dumps(_varied(document, chance)).decode()


@pytest.mark.parametrize("name", sorted(set(catalogue.sources()) - JOINED))
def test_a_record_is_read_alone_as_among_others(name: str) -> None:
    """Types of a vendor's own fields, ECS fields and what is derived follow from the record, not from its batch: neither from
    the other examples, nor from records of the same shape whose values are lists, numbers or objects."""
    source = catalogue.find(name)
    lines = examples(name)
    lines += list(_neighbours(lines))
    together = documents(source, lines)
    turned = documents(source, lines[::-1])[::-1]
    for line, among, other in zip(lines, together, turned, strict=True):
        alone = documents(source, [line])[0]
        assert alone == among, line
        assert alone == other, line


def _classic(data: dict[str, Any]) -> str:
    winlog = {"provider_name": "Service Control Manager", "event_id": 7036, "channel": "System"}
    return orjson.dumps({"winlog": {**winlog, "event_data": data}}).decode()


_UNNAMED: dict[str, dict[str, Any]] = {
    "numbered": {"param1": "p1", "param2": "p2"},
    "one value": {"Data": "d"},
    "a list": {"Data": ["e", "f", "g"]},
    "both": {"param1": "p", "Data": "d"},
    "both, a list": {"param2": "p", "Data": ["e", "f"]},
    "neither": {"x": "y"},
    "nothing": {"param1": None, "x": "y"},
}


@pytest.mark.parametrize("one", _UNNAMED)
@pytest.mark.parametrize("other", _UNNAMED)
def test_names_that_only_a_neighbour_has_change_nothing(one: str, other: str) -> None:
    """Windows' unnamed values, numbered or together: neither is overwritten, whichever the event beside has."""
    source = catalogue.find("windows.eventlog")
    lines = [_classic(_UNNAMED[one]), _classic(_UNNAMED[other])]
    among = documents(source, lines)
    assert among == [documents(source, [line])[0] for line in lines]
    data = among[0]["winlog"]["event_data"]
    assert {**data, **{name: text for name, text in _UNNAMED[one].items() if type(text) is str}} == data


def test_a_label_that_neighbours_outnumber_names_its_field() -> None:
    """Labels that a sender invents do not take another line's label from it."""
    line = "CEF:0|V|P|1|7|n|3|cs1=x cs1Label={}"
    lines = [line.format(f"{number:04}") for number in range(400)] + [line.format("Policy")]
    assert documents(catalogue.find("generic.cef"), lines)[-1]["cef"]["Policy"] == "x"


def test_of_more_labels_than_there_are_columns_the_commonest_stay() -> None:
    """An invented label is on one line, a product's on many."""
    line = "CEF:0|V|P|1|7|n|3|cs1=x cs1Label={}"
    lines = [line.format(f"{number:04}") for number in range(600)] + [line.format("Policy")] * 2
    told = documents(catalogue.find("generic.cef"), lines)
    assert told[-1]["cef"]["Policy"] == "x"
    assert told[599]["cef"]["cs1"] == "x" and told[599]["cef"]["cs1Label"] == "0599"
