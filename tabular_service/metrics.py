"""Metrics of a tabular service, beside those of its requests."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tabular_service.model import QualityReport

_STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class TabularMetrics:
    """Outcomes, stages and quality control, under the names that every service uses."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers every metric."""
        self.outcomes = Counter("predictions", "Answers given.", ("outcome",), registry=registry)
        self.stages = Histogram(
            "stage_seconds",
            "Seconds in each stage.",
            ("stage",),
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self.inside = Gauge("requests_inside", "Requests that hold a place.", registry=registry)
        self._qc_failed = Gauge(
            "quality_control_failed", "1 when the golden cases deviate.", registry=registry
        )
        self._qc_deviation = Gauge(
            "quality_control_deviation",
            "Largest deviation of a golden logit from the one in the file.",
            registry=registry,
        )
        self._qc_runs = Counter(
            "quality_control_runs", "Runs of the golden cases.", registry=registry
        )

    def record_answer(self, outcome: str, timing_ms: dict[str, float]) -> None:
        """Count one answer and observe its stages."""
        self.outcomes.labels(outcome).inc()
        for name, spent_ms in timing_ms.items():
            self.stages.labels(name).observe(spent_ms / 1000)

    def record_control(self, report: QualityReport) -> None:
        """Show the result of one run of the golden cases."""
        self._qc_runs.inc()
        self._qc_deviation.set(report.deviation)
        self._qc_failed.set(report.reason is not None)
