"""The store on Elasticsearch 8 or 9, for when one machine is outgrown."""

from hinomi.store.elastic.connection import ElasticSettings, connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords

__all__ = ["ElasticEvents", "ElasticRecords", "ElasticSettings", "connect"]
