import asyncio
import io
import threading

import httpx2
import pytest
import torch
from PIL import Image
from prometheus_client import CollectorRegistry

from contracts.registry import get_modality
from contracts.schemas import Explanation, ModelInfo, Prediction, Problem, Recognition
from serving.health import HealthState, Phase
from serving.holder import ModelHolder
from vision_service.app import EXIT_BAD_MODEL, Loader, create_app
from vision_service.metrics import VisionMetrics
from vision_service.model import load_model

SECRET = b"John-Doe-MRN-123"


async def test_a_picture_is_answered_with_ids_and_stage_times(app, opened, png_bytes):
    async with opened(app) as http:
        response = await http.post(
            "/predict?prevalence=0.2", content=png_bytes, headers={"X-Request-ID": "abc"}
        )

    prediction = Prediction.model_validate_json(response.text)
    assert response.status_code == 200
    assert prediction.request_id == response.headers["X-Request-ID"] == "abc"
    assert prediction.post_test[0].prevalence == 0.2
    assert "infer;dur=" in response.headers["Server-Timing"]


async def test_T10_the_bytes_decide_what_they_are(app, opened, png_bytes):
    async with opened(app) as http:
        response = await http.post(
            "/predict", content=png_bytes, headers={"Content-Type": "text/html"}
        )

    assert response.json()["input"]["media_type"] == "image/png"


async def test_every_route_answers(app, opened, jpeg_bytes):
    async with opened(app) as http:
        explanation = await http.post("/explain", content=jpeg_bytes)
        recognition = await http.post("/recognise", content=jpeg_bytes)
        rendering = await http.post("/render", content=jpeg_bytes)
        model = await http.get("/model")

    assert Explanation.model_validate_json(explanation.text).kind == "influence_map"
    assert Recognition.model_validate_json(recognition.text).looks_like is None
    assert rendering.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(rendering.content)).size == (96, 80)
    assert ModelInfo.model_validate_json(model.text).modality == "chest-xray"


@pytest.mark.parametrize("route", ["/predict", "/explain", "/recognise", "/render"])
@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"", 415, "unsupported_media_type"),
        (SECRET, 415, "unsupported_media_type"),
        (b"GIF89a" + SECRET, 415, "unsupported_media_type"),
        (b"\xff\xd8\xff" + SECRET, 422, "image_undecodable"),
        (b"\x89PNG\r\n\x1a\n" + SECRET, 422, "image_undecodable"),
        (b"PK\x03\x04" + SECRET, 415, "unsupported_media_type"),
    ],
)
async def test_T16_every_route_refuses_the_same_things_without_echo(
    app, opened, route, payload, status, code
):
    async with opened(app) as http:
        response = await http.post(route, content=payload)

    problem = Problem.model_validate_json(response.text)
    assert (response.status_code, problem.code) == (status, code)
    assert SECRET.decode() not in response.text


@pytest.mark.parametrize("value", ["0", "1", "nan", "inf", "-0.1", "x", ""])
async def test_a_prevalence_outside_its_range_is_refused(app, opened, png_bytes, value):
    async with opened(app) as http:
        response = await http.post(f"/predict?prevalence={value}", content=png_bytes)

    assert (response.status_code, response.json()["field"]) == (422, "prevalence")


async def test_a_request_that_is_late_before_it_begins_is_504(app, opened, png_bytes):
    async with opened(app) as http:
        response = await http.post("/predict", content=png_bytes, headers={"X-Deadline-Ms": "0"})

    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")


async def test_C9_without_a_model_the_process_lives_and_says_so(opened, settings_for, tmp_path):
    app = create_app(settings_for(checkpoint=tmp_path / "v1.pth"))

    async with opened(app) as http:
        answers = [
            await http.get("/livez"),
            await http.get("/readyz"),
            await http.post("/predict", content=b"x"),
            await http.get("/model"),
        ]

    assert [answer.status_code for answer in answers] == [200, 503, 503, 503]
    assert answers[1].json()["reason"] == "model_missing"
    assert answers[2].json()["code"] == "model_unavailable"
    assert app.state.shell.health.exit_code is None


async def test_C2_a_wrong_model_is_never_ready_and_stops_the_process(
    opened, settings_for, tiny_checkpoint_path
):
    app = create_app(
        settings_for(modality="skin-lesion", checkpoint=tiny_checkpoint_path("chest-xray"))
    )

    async with opened(app) as http:
        ready = await http.get("/readyz")

    assert ready.json()["reason"] == "model_refused"
    assert app.state.shell.health.exit_code == EXIT_BAD_MODEL


async def test_while_loading_the_process_is_alive_and_not_ready(settings_for, monkeypatch):
    begun, may_load = threading.Event(), threading.Event()

    def load_later(*arguments):
        begun.set()
        may_load.wait(60)
        return load_model(*arguments)

    monkeypatch.setattr("vision_service.app.load_model", load_later)
    app = create_app(settings_for())
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        assert await asyncio.to_thread(begun.wait, 60)
        live, ready = await http.get("/livez"), await http.get("/readyz")
        may_load.set()
        await app.state.loading

    assert (live.status_code, ready.status_code, ready.json()["reason"]) == (200, 503, "loading")


async def test_S8_damaged_weights_leave_within_one_cycle(opened, settings_for, png_bytes):
    app = create_app(settings_for(qc_interval_seconds=0.05))

    async with opened(app) as http:
        before = await http.get("/readyz")
        network = app.state.engine_holder.engine.model.network
        weight = network.features[2][0].block[0][0].weight
        weight.detach().view(-1).view(torch.int32)[0] ^= 1 << 30
        async with asyncio.timeout(20):
            while (await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        after = await http.get("/readyz")
        prediction = await http.post("/predict", content=png_bytes)
        metrics = (await http.get("/metrics")).text

    assert before.status_code == 200
    assert after.json()["reason"] == "quality_control_failed"
    assert (prediction.status_code, prediction.json()["code"]) == (503, "model_unavailable")
    assert "quality_control_failed 1.0" in metrics


async def test_the_metrics_hold_the_sizes_of_the_batches(app, opened, png_bytes):
    async with opened(app) as http:
        for _ in range(3):
            await http.post("/predict", content=png_bytes)
        metrics = (await http.get("/metrics")).text

    assert "batch_size_count 3.0" in metrics
    assert "batch_size_sum 3.0" in metrics


async def test_F12_a_control_run_without_memory_is_skipped_and_changes_nothing(
    settings_for,
):
    class Starving:
        async def control(self):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    registry, health, holder = CollectorRegistry(), HealthState(), ModelHolder()
    metrics = VisionMetrics(registry)
    loader = Loader(settings_for(), get_modality("chest-xray"), health, holder, metrics)
    holder.put(Starving())
    health.mark_ready()

    await loader.control_once()

    assert health.phase is Phase.READY
    assert registry.get_sample_value("quality_control_runs_total") == 0


async def test_only_callers_with_the_internal_token_are_answered(opened, settings_for, png_bytes):
    app = create_app(settings_for(internal_token="t"))

    async with opened(app) as http:
        refused = await http.post("/predict", content=png_bytes)
        taken = await http.post(
            "/predict", content=png_bytes, headers={"Authorization": "Bearer t"}
        )

    assert (refused.status_code, taken.status_code) == (401, 200)


async def test_F6_beyond_the_limit_requests_are_refused_with_a_time_to_come_again(
    opened, settings_for, png_bytes
):
    app = create_app(settings_for(max_queue=2))

    async with opened(app) as http:
        answers = await asyncio.gather(
            *(http.post("/predict", content=png_bytes) for _ in range(12))
        )
        alive = await http.post("/predict", content=png_bytes)

    by_status = {answer.status_code for answer in answers}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert by_status == {200, 503}
    assert all(answer.json()["code"] == "overloaded" for answer in refused)
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert alive.status_code == 200


async def test_the_card_beside_the_model_file_comes_in_three_forms(
    opened, settings_for, tiny_checkpoint_path
):
    card = tiny_checkpoint_path("chest-xray").with_suffix(".md")
    card.write_text("# Chest\n\n**Not** <b>a</b> diagnosis.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    app = create_app(settings_for())

    async with opened(app) as http:
        as_json = await http.get("/model/card")
        markdown = await http.get("/model/card?format=markdown")
        page = await http.get("/model/card?format=html")
        other = await http.get("/model/card?format=pdf")
        card.unlink()
        missing = await http.get("/model/card")

    assert as_json.json()["card"] == markdown.text
    assert as_json.json()["modality"] == "chest-xray"
    assert "<h1>Chest</h1>" in page.text
    assert "<strong>Not</strong> &lt;b&gt;a&lt;/b&gt; diagnosis." in page.text
    assert "<td>2</td>" in page.text
    assert (other.status_code, missing.status_code) == (422, 404)


async def test_outcomes_and_stages_are_counted(app, opened, png_bytes):
    async with opened(app) as http:
        outcome = (await http.post("/predict", content=png_bytes)).json()["outcome"]
        metrics = (await http.get("/metrics")).text

    assert f'predictions_total{{outcome="{outcome}"}} 1.0' in metrics
    assert 'stage_seconds_count{stage="infer"} 1.0' in metrics
    assert "backend_fallback 0.0" in metrics
