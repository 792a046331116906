"""Metrics of a vision service, beside those of its requests."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class VisionMetrics:
    """Outcomes, stages, sizes of batches, the compiled form and quality control."""

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
        self.queued = Gauge("inference_queue", "Inputs that wait for the model.", registry=registry)
        self.batch_size = Histogram(
            "batch_size",
            "Inputs that the model took in one call.",
            buckets=_BATCH_BUCKETS,
            registry=registry,
        )
        self.fell_back = Gauge(
            "backend_fallback",
            "1 when the compiled form failed its check and torch answers instead.",
            registry=registry,
        )
        self.qc_failed = Gauge(
            "quality_control_failed", "1 when the golden cases deviate.", registry=registry
        )
        self.qc_deviation = Gauge(
            "quality_control_deviation",
            "Largest deviation of a golden logit from the one at start.",
            registry=registry,
        )
        self.qc_runs = Counter(
            "quality_control_runs", "Runs of the golden cases.", registry=registry
        )

    def record_answer(self, outcome: str, timing_ms: dict[str, float]) -> None:
        """Count one answer and observe its stages."""
        self.outcomes.labels(outcome).inc()
        for name, spent_ms in timing_ms.items():
            self.stages.labels(name).observe(spent_ms / 1000)
