"""The store on Elasticsearch 8 or 9, for when one machine is outgrown.

Import `ElasticEvents`, `ElasticRecords` and `connect` from their modules: the client takes a second to import, which
only who uses a cluster should pay.
"""
