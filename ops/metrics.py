"""Prometheus metrics of one tower, read from what the processes leave in records, store and run folder.

Any process can serve them; the respond process does, on `metrics.listen` (loopback by default).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import Field

from hinomi.config import Section
from hinomi.store import Events, Records
from ops.counts import totals
from ops.rundir import RunDir


class MetricsSettings(Section):
    """`metrics:` of the configuration; port 0 turns the endpoint off."""

    address: str = "127.0.0.1"
    port: int = Field(default=9469, ge=0, le=65535)


@dataclass(slots=True, eq=False)  # the registry keeps collectors by identity
class TowerMetrics(Collector):
    """Collects at scrape time; nothing is held between scrapes."""

    events: Events
    records: Records
    run: RunDir

    def collect(self) -> Iterator[Metric]:
        """Every metric family."""
        yield self._counts()
        yield from self._store()
        yield from self._processes()
        yield self._incidents()

    def _counts(self) -> Metric:
        family = CounterMetricFamily(
            "hinomi_events", "Events by what happened to them and why", labels=["what", "dataset", "reason"]
        )
        for line, n in sorted(totals(self.records).items()):
            family.add_metric(list(line), n)
        return family

    def _store(self) -> Iterator[Metric]:
        held = GaugeMetricFamily("hinomi_stored_events", "Events held", labels=["dataset"])
        size = GaugeMetricFamily("hinomi_stored_bytes", "Bytes held", labels=["dataset"])
        last = GaugeMetricFamily(
            "hinomi_last_event_timestamp_seconds", "Newest event time", labels=["dataset"]
        )
        for stats in self.events.datasets():
            held.add_metric([stats.name], stats.events)
            size.add_metric([stats.name], stats.bytes)
            if stats.last:
                last.add_metric([stats.name], stats.last.timestamp())
        yield from (held, size, last)

    def _processes(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("hinomi_process_up", "1 while the process runs", labels=["process"])
        restarts = CounterMetricFamily("hinomi_process_restarts", "Restarts since start", labels=["process"])
        for child in self.run.read("supervisor").get("children", []):
            up.add_metric([child["name"]], 1 if child["pid"] else 0)
            restarts.add_metric([child["name"]], child["restarts"])
        stages = CounterMetricFamily(
            "hinomi_stage_seconds", "Time spent by stage", labels=["process", "stage"]
        )
        backlog = GaugeMetricFamily("hinomi_spool_bytes", "Bytes waiting in the spool", labels=["process"])
        for name in self.run.names():
            said = self.run.read(name)
            for stage, seconds in said.get("stages", {}).items():
                stages.add_metric([name, stage], seconds)
            if "spool_bytes" in said:
                backlog.add_metric([name], said["spool_bytes"])
        yield from (up, restarts, stages, backlog)

    def _incidents(self) -> Metric:
        family = GaugeMetricFamily("hinomi_incidents", "Incidents by status", labels=["status"])
        for status in ("new", "acknowledged", "in_progress", "contained", "closed"):
            family.add_metric([status], self.records.count("incident", {"status": status}))
        return family


def exposition(events: Events, records: Records, run: RunDir) -> bytes:
    """The metrics page in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TowerMetrics(events, records, run))
    return generate_latest(registry)
