"""Preparing a cluster for Hinomi."""

from pathlib import Path

from hinomi.errors import InputError, Where
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from ops.settings import read_settings


def prepare(config: Path) -> str:
    """Make the templates of the configured cluster; what was done, in words. Raises InputError, StoreError."""
    settings = read_settings(config).store
    if settings.kind != "elasticsearch" or settings.elasticsearch is None:
        raise InputError(
            "保管庫が elasticsearch ではないので、準備は要りません。",
            "the store is not elasticsearch; nothing is to be prepared",
            where=Where(config, None, "store.kind"),
        )
    events = ElasticEvents(connect(settings.elasticsearch), settings.elasticsearch.namespace)
    try:
        events.prepare(replicas=settings.elasticsearch.replicas)
        health = events.health()
    finally:
        events.close()
    return (
        f"準備できました(クラスタ {health['cluster_name']}、ノード {health['number_of_nodes']}、状態 {health['status']})。\n"
        f"prepared: cluster {health['cluster_name']}, {health['number_of_nodes']} nodes, {health['status']}"
    )
