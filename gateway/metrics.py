"""What the gateway counts beside requests: outcomes, failures, and the state of each lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from contracts.errors import ServiceError
from contracts.schemas import Prediction
from gateway.lanes import Lane


class GatewayMetrics:
    """Counters by modality id and by codes of ours; no label comes from a request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers its metrics once per registry."""
        self._registry = registry
        self._outcomes = Counter(
            "gateway_outcomes",
            "Answers given, by modality and outcome.",
            ("modality", "outcome"),
            registry=registry,
        )
        self._failures = Counter(
            "gateway_failures",
            "Calls that ended in an error, by modality and status.",
            ("modality", "status"),
            registry=registry,
        )

    def answered(self, prediction: Prediction) -> None:
        """A prediction was made."""
        self._outcomes.labels(prediction.modality, prediction.outcome.value).inc()

    def failed(self, modality: str, error: ServiceError) -> None:
        """A call ended in one of our errors."""
        self._failures.labels(modality, str(error.status)).inc()

    def watch(self, lanes: Mapping[str, Lane]) -> None:
        """Show the state of the lanes at each scrape."""
        self._registry.register(_LaneCollector(lanes))


class _LaneCollector(Collector):
    """Reads breakers and limiters when it is asked."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return running, waiting, breaker state and draining of each lane."""
        running = GaugeMetricFamily(
            "gateway_running", "Calls that a service works on.", labels=["modality"]
        )
        waiting = GaugeMetricFamily(
            "gateway_waiting", "Calls that wait for a place.", labels=["modality"]
        )
        breaker = GaugeMetricFamily(
            "gateway_breaker", "1 for the state the breaker is in.", labels=["modality", "state"]
        )
        draining = GaugeMetricFamily(
            "gateway_draining", "1 while the service is restarted in order.", labels=["modality"]
        )
        for modality, lane in self._lanes.items():
            running.add_metric([modality], lane.limiter.running)
            waiting.add_metric([modality], lane.limiter.waiting)
            breaker.add_metric([modality, lane.breaker.state.value], 1)
            draining.add_metric([modality], lane.gate.is_closed)
        return [running, waiting, breaker, draining]
