"""Kibana saved objects (data views, searches, visualizations, dashboards) as NDJSON, from the same boards as the console.

Facts: Kibana saved objects API (`_export`/`_import` NDJSON: one object a line, references by name, a last line with the
export details) and the attributes of index-pattern, search, visualization and dashboard as 8.x exports write them; 9.x
migrates them on import. Identities are made from the board's key, so an import with overwrite changes the same objects.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import orjson

from dashboards.boards import BOARDS, Board, Panel
from hinomi.errors import DependencyDown, InputError
from hinomi.words import Language

_NAMESPACE = uuid.UUID("6a0f9a0e-2c58-4c0c-9a4e-0e4f2b6e2d11")
VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "visualization": "8.5.0", "dashboard": "8.9.0"}
VIEW = "hinomi-logs"
_META = "kibanaSavedObjectMeta"


def export(language: Language, pattern: str = "logs-*") -> bytes:
    """Every object as NDJSON, the way Kibana itself writes an export."""
    found = list(_objects(language, pattern))
    details = {"exportedCount": len(found), "missingRefCount": 0, "missingReferences": []}
    return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in [*found, details])


def send(address: str, key: str, content: bytes, *, verify: Any = True) -> int:
    """Import into a Kibana with an API key; returns how many objects went in. Raises InputError for refused ones."""
    headers = {"kbn-xsrf": "hinomi", "Authorization": f"ApiKey {key}"}
    files = {"file": ("hinomi.ndjson", content, "application/ndjson")}
    try:
        with httpx.Client(verify=verify, timeout=60, follow_redirects=False) as client:
            url = f"{address.rstrip('/')}/api/saved_objects/_import?overwrite=true"
            answer = client.post(url, headers=headers, files=files)
            answer.raise_for_status()
            told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise DependencyDown("Kibana が応答しません。", f"Kibana: {error}") from error
    if not told.get("success"):
        wrong = ", ".join(
            f"{one['type']} {one['id']}: {one['error']['type']}" for one in told.get("errors", [])
        )
        raise InputError(f"Kibana が受け取れませんでした: {wrong}", f"Kibana refused: {wrong}")
    return int(told["successCount"])


def _objects(language: Language, pattern: str) -> Iterator[dict[str, Any]]:
    yield _object("index-pattern", VIEW, {"title": pattern, "name": "Hinomi", "timeFieldName": "@timestamp"})
    for board in BOARDS:
        yield _search(board, language)
        for panel in board.panels:
            yield _visualization(board, panel, language)
        yield _dashboard(board, language)


def identity(kind: str, *parts: str) -> str:
    """The same id for the same thing, each time."""
    return str(uuid.uuid5(_NAMESPACE, "|".join([kind, *parts])))


def _object(kind: str, identity_: str, attributes: dict[str, Any], references: Any = ()) -> dict[str, Any]:
    return {
        "type": kind,
        "id": identity_,
        "attributes": attributes,
        "references": list(references),
        "managed": False,
        "coreMigrationVersion": "8.8.0",
        "typeMigrationVersion": VERSIONS[kind],
    }


def _source(query: str) -> dict[str, str]:
    """What is searched, as Kibana nests it: JSON in a text, the data view by reference. KQL is our language's own model."""
    body = {
        "query": {"query": query, "language": "kuery"},
        "filter": [],
        "indexRefName": f"{_META}.searchSourceJSON.index",
    }
    return {"searchSourceJSON": json.dumps(body)}


_VIEW_REF = {"type": "index-pattern", "id": VIEW, "name": f"{_META}.searchSourceJSON.index"}


def _search(board: Board, language: Language) -> dict[str, Any]:
    attributes = {
        "title": f"Hinomi: {board.title.of(language)}",
        "description": "",
        "columns": list(board.columns),
        "sort": [["@timestamp", "desc"]],
        "grid": {},
        "hideChart": False,
        _META: _source(board.query),
    }
    return _object("search", identity("search", board.key), attributes, [_VIEW_REF])


def _visualization(board: Board, panel: Panel, language: Language) -> dict[str, Any]:
    title = f"{board.title.of(language)}: {panel.title.of(language)}"
    attributes = {
        "title": title,
        "description": "",
        "uiStateJSON": "{}",
        "version": 1,
        "visState": json.dumps(_state(title, panel), ensure_ascii=False),
        _META: _source(board.asked(panel)),
    }
    return _object("visualization", identity("visualization", board.key, panel.key), attributes, [_VIEW_REF])


def _state(title: str, panel: Panel) -> dict[str, Any]:
    count = {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}
    if panel.kind == "top":
        terms = _terms("2", "bucket", panel.field, 10)
        return {
            "title": title,
            "type": "table",
            "aggs": [count, terms],
            "params": {"perPage": 10, "showTotal": False},
        }
    over = {
        "id": "2",
        "enabled": True,
        "type": "date_histogram",
        "schema": "segment",
        "params": {"field": "@timestamp", "interval": "auto", "min_doc_count": 1, "drop_partials": False},
    }
    split = [_terms("3", "group", panel.field, 8)] if panel.field else []
    axis = {
        "id": "ValueAxis-1",
        "type": "value",
        "position": "left",
        "show": True,
        "scale": {"type": "linear"},
    }
    params = {
        "type": "histogram",
        "addTooltip": True,
        "addLegend": bool(split),
        "legendPosition": "right",
        "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": True}],
        "valueAxes": [axis],
        "seriesParams": [
            {
                "show": True,
                "type": "histogram",
                "mode": "stacked",
                "data": {"label": "Count", "id": "1"},
                "valueAxis": "ValueAxis-1",
            }
        ],
    }
    return {"title": title, "type": "histogram", "aggs": [count, over, *split], "params": params}


def _terms(number: str, schema: str, field: str, size: int) -> dict[str, Any]:
    params = {"field": field, "orderBy": "1", "order": "desc", "size": size, "otherBucket": False}
    return {"id": number, "enabled": True, "type": "terms", "schema": schema, "params": params}


def _dashboard(board: Board, language: Language) -> dict[str, Any]:
    panels, references = [], []
    for index, panel in enumerate(board.panels):
        name = f"panel_{index}"
        grid = {"x": 24 * (index % 2), "y": 15 * (index // 2), "w": 24, "h": 15, "i": str(index)}
        panels.append(
            {
                "type": "visualization",
                "panelIndex": str(index),
                "gridData": grid,
                "embeddableConfig": {},
                "panelRefName": name,
            }
        )
        references.append(
            {
                "type": "visualization",
                "id": identity("visualization", board.key, panel.key),
                "name": f"{index}:{name}",
            }
        )
    below = 15 * ((len(panels) + 1) // 2)
    last = str(len(panels))
    grid = {"x": 0, "y": below, "w": 48, "h": 18, "i": last}
    panels.append(
        {
            "type": "search",
            "panelIndex": last,
            "gridData": grid,
            "embeddableConfig": {},
            "panelRefName": f"panel_{last}",
        }
    )
    references.append({"type": "search", "id": identity("search", board.key), "name": f"{last}:panel_{last}"})
    attributes = {
        "title": f"Hinomi {board.title.of(language)}",
        "description": "",
        "panelsJSON": json.dumps(panels),
        "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": False,
        "version": 1,
        _META: {"searchSourceJSON": json.dumps({"query": {"query": "", "language": "kuery"}, "filter": []})},
    }
    return _object("dashboard", identity("dashboard", board.key), attributes, references)
