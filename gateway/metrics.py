"""The gateway's Prometheus metrics, by route template. Each app has its own registry, so counts are not shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from core.domain.runners import RunnerState, SeenRunner

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
UNKNOWN = "unknown"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
"""Bounds in seconds; they include the response time targets 0.1, 0.2 and 0.5."""


class Metrics:
    """Lives as long as its app. Labels come from our own routes and a fixed list of methods, never from a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        GCCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "leadersboard_http_requests", "Answered requests.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "leadersboard_http_request_duration_seconds",
            "From the request's head to the answer's last byte.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("leadersboard_http_requests_in_flight", "Requests in hand.", registry=self.registry)
        self.upload_bytes = Counter("leadersboard_upload_bytes", "Bytes of uploads received.", registry=self.registry)

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one answered request; `route` is None when no route matched."""
        labels = (method if method in METHODS else UNKNOWN, route or UNKNOWN)
        self._requests.labels(*labels, str(status)).inc()
        self._seconds.labels(*labels).observe(seconds)


class Mended:
    """Collector of what the sweepers of all runners have mended, from the counts in Redis."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        words = "What sweepers mended of crashes, outages and lost messages, by kind."
        family = CounterMetricFamily("leadersboard_mended", words, labels=["kind"])
        for kind, count in self._counts.items():
            family.add_metric([kind], count)
        yield family


class Runners:
    """Collector of the number of runners in each state. A silent runner counts only as silent."""

    def __init__(self, seen: Sequence[SeenRunner]) -> None:
        self._states = [one.state for one in seen]
        self._ready = sum(one.is_ready_for() for one in seen)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("leadersboard_runners", "Listed runners, by state.", labels=["state"])
        for state in RunnerState:
            family.add_metric([state], self._states.count(state))
        yield family
        yield GaugeMetricFamily("leadersboard_runners_ready", "Runners that take new jobs now.", value=self._ready)


class Clocks:
    """Collector of the seconds by which clocks are ahead of Redis: the gateway's, and those of hosts that report."""

    def __init__(self, gateway: float, seen: Sequence[SeenRunner]) -> None:
        hosts = {one.report.host: one.report.clock_skew_seconds for one in seen if not one.is_silent}
        self._skews = {"gateway": gateway, **{host: skew for host, skew in hosts.items() if skew is not None}}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        words = "Seconds by which a clock is ahead of Redis's."
        family = GaugeMetricFamily("leadersboard_clock_skew_seconds", words, labels=["host"])
        for host, skew in self._skews.items():
            family.add_metric([host], skew)
        yield family
