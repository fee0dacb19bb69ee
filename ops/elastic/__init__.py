"""A real Elasticsearch of our own on this machine: for tests, benchmarks, and `make es`.

Never for service: a city's cluster is installed from Elastic's packages (docs/elasticsearch.md).
"""
