"""A real Elasticsearch for tests: one for a test process, started when first asked for, stopped at its end.

HINOMI_ELASTIC names the version; HINOMI_ELASTIC_AT the note of a cluster that runs already (quicker while working).
Tests that use it carry `ON_ELASTIC`, so that one process runs them all.
"""

import atexit
import hashlib
import os
from functools import cache
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from hinomi.errors import HinomiError
from ops.elastic import cluster
from tests import shared

ON_ELASTIC = (pytest.mark.elastic, pytest.mark.xdist_group("elasticsearch"))
VERSION = os.environ.get("HINOMI_ELASTIC", "8.19.8")


@cache
def _started() -> cluster.Cluster | str:
    if os.environ.get("HINOMI_ELASTIC", "") == "none":
        return "HINOMI_ELASTIC=none"
    if at := os.environ.get("HINOMI_ELASTIC_AT"):  # one that runs already: `make es ES_ARGS="--note FILE"`
        return cluster.attach(Path(at))
    if os.environ.get("HINOMI_REQUIRE") != "all" and not _kept():
        return f"Elasticsearch {VERSION} is not fetched yet (python -m ops.elastic fetch)"
    try:
        found = cluster.start(VERSION)
    except HinomiError as error:
        return error.en
    atexit.register(found.stop)
    return found


def _kept() -> bool:
    from ops.elastic import distribution

    return distribution.is_kept(VERSION)


def running() -> cluster.Cluster:
    """The cluster. Skips where there can be none; fails under HINOMI_REQUIRE=all."""
    found = _started()
    if isinstance(found, str):
        shared.missing(f"Elasticsearch: {found}")
        raise AssertionError("unreachable")
    return found


def client() -> Elasticsearch:
    """A client of its administrator."""
    there = running()
    user = there.administrator
    return Elasticsearch(
        there.hosts(),
        ca_certs=str(there.ca),
        basic_auth=(user.name, user.password),
        request_timeout=60,
        max_retries=0,
    )


def namespace(folder: Path) -> str:
    """A namespace of a test's own, the same for the same folder."""
    return "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
