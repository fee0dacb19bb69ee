"""CACAO 2.0 by the JSON schema of OASIS (github.com/oasis-open/cacao-json-schemas, Apache-2.0), which is not ours to ship: it is
looked for at HINOMI_CACAO_SCHEMAS or ../shared/data/cacao-json-schemas (a clone of that repository)."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hinomi.errors import HinomiError
from responders.cacao.document import checked
from responders.cacao.export import exported
from responders.playbooks.playbook import catalogue
from tests.responders.test_cacao import FOREIGN
from tests.shared import DATA

BASE = "https://raw.githubusercontent.com/oasis-open/cacao-json-schemas/main/"
FOLDER = Path(os.environ.get("HINOMI_CACAO_SCHEMAS", DATA / "cacao-json-schemas"))
PLAYBOOKS = catalogue()

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no clone of cacao-json-schemas at {FOLDER}")


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Draft7Validator:
    """The schema of a playbook; what it refers to is read from the same folder, nothing from the network."""

    def read(uri: str) -> Any:
        return json.loads((FOLDER / uri.removeprefix(BASE)).read_text())

    return jsonschema_rs.Draft7Validator(read(f"{BASE}schemas/playbook.json"), retriever=read)


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_what_goes_out_is_valid(schema: jsonschema_rs.Draft7Validator, name: str) -> None:
    """Every playbook of the library."""
    document = json.loads(json.dumps(exported(PLAYBOOKS[name])))
    assert [f"{one.instance_path}: {one.message}" for one in schema.iter_errors(document)] == []


def _cut(document: Any, path: tuple[str, ...]) -> Any:
    changed = copy.deepcopy(document)
    at = changed
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return changed


def _paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [one for key, held in value.items() for one in [(*path, key), *_paths(held, (*path, key))]]


@pytest.mark.parametrize(
    "document", [FOREIGN, exported(PLAYBOOKS["malware_endpoint"])], ids=["foreign", "own"]
)
def test_what_the_schema_refuses_is_not_taken_in(
    schema: jsonschema_rs.Draft7Validator, document: dict[str, Any]
) -> None:
    """Each key taken out, one at a time: where the schema then says no, so does the reader."""
    assert schema.is_valid(document) and checked(document, "x")
    laxer = []
    for path in _paths(document):
        changed = _cut(document, path)
        if schema.is_valid(changed):
            continue
        try:
            checked(changed, "x")
        except HinomiError:
            continue
        laxer.append(path)
    assert laxer == []
