"""Put the parts of the gateway together from its settings.

Knows which part is given which other; when they are opened and closed is `gateway/app.py`'s
concern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import httpx2

from contracts.modality import Modality
from gateway.analysis import Analysis
from gateway.client import InferenceClient, open_upstream
from gateway.dependencies import Parts
from gateway.lanes import open_lanes
from gateway.memory import BodyMemory
from gateway.metrics import GatewayMetrics
from gateway.readiness import ReadinessWatch
from gateway.report.office import ReportOffice
from gateway.report.pdf import PdfPress
from gateway.settings import GatewaySettings
from gateway.store import Store
from gateway.upload import UploadReader
from gateway.upstream import Upstream
from serving.app import Shell
from serving.body import Pace

#: Connections beyond the concurrency limit: readiness polls, model facts, cards.
SPARE_CONNECTIONS = 4


async def open_upstreams(
    settings: GatewaySettings,
    modalities: tuple[Modality, ...],
    transport: httpx2.AsyncBaseTransport | None,
    stack: AsyncExitStack,
) -> dict[str, Upstream]:
    """Open the way to each service; the stack closes them."""
    return {
        modality.id: await stack.enter_async_context(
            open_upstream(
                settings.upstreams.get(modality.id, f"http://{modality.id}:8000"),
                connect_timeout_seconds=settings.connect_timeout_seconds,
                answer_timeout_seconds=settings.deadline_seconds,
                max_connections=settings.max_concurrency + SPARE_CONNECTIONS,
                transport=transport,
            )
        )
        for modality in modalities
    }


def build_parts(
    settings: GatewaySettings,
    modalities: tuple[Modality, ...],
    store: Store,
    upstreams: Mapping[str, Upstream],
    shell: Shell,
    clock: Callable[[], float],
) -> Parts:
    """Put the parts together; opens nothing."""
    client = InferenceClient(upstreams, token=settings.token)
    lanes = open_lanes(settings, clock, client.gates)
    metrics = GatewayMetrics(shell.metrics.registry)
    metrics.watch(lanes)
    analysis = Analysis(client, lanes, metrics)
    pace = Pace(
        deadline_seconds=settings.upload_seconds,
        grace_seconds=settings.upload_grace_seconds,
        minimum_bytes_per_second=settings.upload_bytes_per_second,
    )
    return Parts(
        settings=settings,
        modalities=modalities,
        store=store,
        analysis=analysis,
        reports=ReportOffice(analysis, client, PdfPress(settings.report_threads), modalities),
        client=client,
        lanes=lanes,
        reader=UploadReader(pace=pace, memory=BodyMemory(settings.max_body_memory_bytes)),
        watch=ReadinessWatch(
            client,
            [modality.id for modality in modalities],
            poll_seconds=settings.readiness_poll_seconds,
            each_round=store.revive,
        ),
        clock=clock,
    )
