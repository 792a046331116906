import asyncio
import io
import threading
from dataclasses import replace

import pytest
from PIL import Image

from contracts.errors import InvalidInput, Overloaded, UnsupportedMediaType
from contracts.modality import QualityLimits
from contracts.network import Output
from contracts.schemas import Outcome
from contracts.views import Views
from vision_service.answer import Options
from vision_service.engine import VisionEngine
from vision_service.library import analyze
from vision_service.model import VisionModel
from vision_service.threads import ThreadPlan


class SlowBackend:
    """A backend that stops until it is let go."""

    name, device, spreads_alone = "torch", "cpu", True

    def __init__(self, inner):
        self.inner = inner
        self.armed = False
        self.entered, self.release = threading.Event(), threading.Event()
        self.calls: list[bool] = []

    def infer(self, batch, *, alone=False):
        if self.armed:
            self.calls.append(alone)
            self.entered.set()
            self.release.wait(10)
        return self.inner.infer(batch)


class BrokenBackend:
    """A backend whose answers are not finite."""

    name, device, spreads_alone = "torch", "cpu", True

    def __init__(self, inner):
        self.inner = inner

    def infer(self, batch, *, alone=False):
        output = self.inner.infer(batch)
        return Output(output.logits * float("nan"), output.middle, output.penultimate)


async def until(holds):
    async with asyncio.timeout(10):
        for _ in iter(holds, True):
            await asyncio.sleep(0.001)


@pytest.fixture
def film() -> bytes:
    """A picture as large as a film."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((1422, 1152)).save(buffer, format="PNG")
    return buffer.getvalue()


def with_backend(model: VisionModel, backend) -> VisionModel:
    return replace(model, backend=backend)


async def test_an_answer_holds_everything_of_the_schema(engine, png_bytes):
    answer = await engine.predict(png_bytes, request_id="r-1", options=Options(prevalence=0.1))

    assert (answer.request_id, answer.modality) == ("r-1", "chest-xray")
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert {finding.label for finding in answer.findings} == {"NORMAL", "PNEUMONIA"}
    assert (answer.input.width, answer.input.height, answer.input.mode) == (96, 80, "L")
    assert answer.input.media_type == "image/png"
    assert {"decode", "preprocess", "quality", "infer", "judge", "total"} <= set(answer.timing_ms)
    assert answer.model.version == "v1"
    assert answer.triage is not None
    assert answer.triage.source
    assert answer.notice
    assert "quality.blur" in answer.measurements


async def test_F18_many_at_once_each_get_the_answer_to_their_own_picture(engine, noise):
    payloads = [noise(seed) for seed in range(24)]
    alone = [(await engine.predict(payload, request_id="x")).probabilities for payload in payloads]

    together = await asyncio.gather(
        *(engine.predict(payload, request_id="x") for payload in payloads)
    )

    assert [answer.probabilities for answer in together] == alone
    assert len({str(probabilities) for probabilities in alone}) > 20


async def test_I14_the_same_bytes_get_the_same_answer_bit_for_bit(engine, jpeg_bytes):
    answers = await asyncio.gather(*(engine.predict(jpeg_bytes, request_id="x") for _ in range(30)))

    assert len({str(answer.probabilities) for answer in answers}) == 1


async def test_the_library_gives_the_numbers_of_the_engine(engine, png_bytes, tiny_checkpoint_path):
    served = await engine.predict(png_bytes, request_id="x")

    direct = analyze(png_bytes, "chest-xray", tiny_checkpoint_path("chest-xray"))

    assert direct.probabilities == served.probabilities
    assert direct.outcome == served.outcome


@pytest.mark.parametrize("prevalence", [0.01, 0.5])
async def test_the_post_test_probability_follows_from_bayes(engine, png_bytes, prevalence):
    answer = await engine.predict(png_bytes, request_id="x", options=Options(prevalence=prevalence))

    (post,) = answer.post_test
    positive = next(f.positive for f in answer.findings if f.label == "PNEUMONIA")
    ratio = 8.0 if positive else 0.1
    odds = prevalence / (1 - prevalence) * ratio
    assert (post.label, post.likelihood_ratio) == ("PNEUMONIA", ratio)
    assert post.probability == pytest.approx(odds / (1 + odds))


async def test_without_a_prevalence_nothing_is_assumed(engine, png_bytes):
    assert (await engine.predict(png_bytes, request_id="x")).post_test == []


async def test_augmentation_that_this_model_does_not_have_is_a_warning(engine, png_bytes):
    answer = await engine.predict(png_bytes, request_id="x", options=Options(use_tta=True))

    assert "tta_unavailable" in [warning.code for warning in answer.warnings]


async def test_I1_damaged_bytes_are_an_error_and_the_engine_lives(engine, jpeg_bytes):
    with pytest.raises(InvalidInput):
        await engine.predict(jpeg_bytes[: len(jpeg_bytes) // 2], request_id="x")
    with pytest.raises(UnsupportedMediaType):
        await engine.predict(b"GIF89a", request_id="x")

    assert (await engine.predict(jpeg_bytes, request_id="x")).outcome


async def test_what_fails_the_quality_limits_is_rejected_without_scores_and_never_reaches_the_model(
    torch_model, png_bytes
):
    limits = QualityLimits(reject={"brightness": (0.9, None)}, warn={"contrast": (0.9, None)})
    release = replace(torch_model.checkpoint.release, quality=limits)
    backend = SlowBackend(torch_model.backend)
    strict = replace(
        torch_model,
        backend=backend,
        checkpoint=replace(torch_model.checkpoint, release=release),
    )
    async with VisionEngine(strict, ThreadPlan(1, 1, 1)) as engine:
        backend.armed = True
        answer = await engine.predict(png_bytes, request_id="x")

    assert answer.outcome is Outcome.REJECTED
    assert [reason.code for reason in answer.reasons] == ["quality.brightness"]
    assert [warning.code for warning in answer.warnings] == ["quality.contrast"]
    assert (answer.probabilities, answer.findings, answer.triage) == ({}, [], None)
    assert backend.calls == []


async def test_F6_a_full_queue_refuses_at_once(torch_model, png_bytes):
    backend = SlowBackend(torch_model.backend)
    model = with_backend(torch_model, backend)
    async with VisionEngine(model, ThreadPlan(1, 1, 1), max_queue=1) as engine:
        backend.armed = True
        running = asyncio.create_task(engine.predict(png_bytes, request_id="1"))
        await asyncio.to_thread(backend.entered.wait, 10)
        waiting = asyncio.create_task(engine.predict(png_bytes, request_id="2"))
        await until(lambda: engine.queue_length == 1)

        with pytest.raises(Overloaded):
            await engine.predict(png_bytes, request_id="3")

        backend.release.set()
        await asyncio.gather(running, waiting)


async def test_T13_queued_work_of_a_caller_that_leaves_never_starts(torch_model, png_bytes):
    backend = SlowBackend(torch_model.backend)
    model = with_backend(torch_model, backend)
    async with VisionEngine(model, ThreadPlan(1, 1, 1)) as engine:
        backend.armed = True
        running = asyncio.create_task(engine.predict(png_bytes, request_id="1"))
        await asyncio.to_thread(backend.entered.wait, 10)
        gone = asyncio.create_task(engine.predict(png_bytes, request_id="2"))
        await until(lambda: engine.queue_length == 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        backend.release.set()
        await running

    assert len(backend.calls) == 1


async def test_only_an_input_that_is_alone_takes_the_cores_of_the_others(torch_model, png_bytes):
    backend = SlowBackend(torch_model.backend)
    async with VisionEngine(with_backend(torch_model, backend), ThreadPlan(1, 2, 2)) as engine:
        backend.armed = True
        first = asyncio.create_task(engine.predict(png_bytes, request_id="1"))
        await until(lambda: len(backend.calls) == 1)
        second = asyncio.create_task(engine.predict(png_bytes, request_id="2"))
        await until(lambda: len(backend.calls) == 2)
        backend.release.set()
        await asyncio.gather(first, second)
        await engine.recognise(png_bytes)

    assert backend.calls == [True, False, True]


@pytest.mark.parametrize(("workers", "asked"), [(2, True), (1, False)])
async def test_a_thread_without_work_resizes_half_of_a_picture_that_is_alone(
    torch_model, film, workers, asked, monkeypatch
):
    threads, resize = set(), Image.Image.resize
    most, answers = 0, set()

    def noted(image, *args):
        threads.add(threading.get_ident())
        return resize(image, *args)

    async with VisionEngine(torch_model, ThreadPlan(1, workers, 2)) as engine:
        answers.add(str((await engine.predict(film, request_id="1")).probabilities))
        monkeypatch.setattr(Image.Image, "resize", noted)
        for _ in range(100 if asked else 10):
            threads.clear()  # each input may be another worker's
            answers.add(str((await engine.predict(film, request_id="1")).probabilities))
            most = max(most, len(threads))
            if most == 2:
                break

    assert (most == 2) is asked
    assert len(answers) == 1


async def test_the_event_loop_stays_free_while_the_model_computes(torch_model, png_bytes):
    backend = SlowBackend(torch_model.backend)
    async with VisionEngine(with_backend(torch_model, backend), ThreadPlan(1, 1, 1)) as engine:
        backend.armed = True
        running = asyncio.create_task(engine.predict(png_bytes, request_id="1"))
        await asyncio.to_thread(backend.entered.wait, 10)

        ticks = 0
        for _ in range(20):
            await asyncio.sleep(0)
            ticks += 1

        assert not running.done()
        backend.release.set()
        await running
    assert ticks == 20


async def test_C4_a_value_that_is_not_finite_is_never_an_answer(torch_model, png_bytes):
    engine = VisionEngine(torch_model, ThreadPlan(1, 1, 1))
    async with engine:
        engine.model = with_backend(torch_model, BrokenBackend(torch_model.backend))

        with pytest.raises(Exception, match="finite") as refused:
            await engine.predict(png_bytes, request_id="x")

    assert refused.value.code == "model_unavailable"


async def test_the_model_says_what_it_is_and_how_many_threads_it_uses(engine):
    info = engine.info

    assert (info.modality, info.version, info.backend, info.device) == (
        "chest-xray",
        "v1",
        "torch",
        "cpu",
    )
    assert info.threads == {"compute": 1, "infer_workers": 2, "decode_workers": 2}
    assert info.input_size == [3, 64, 64]
    assert info.parameters > 4_000_000


async def test_views_are_averaged_when_the_file_was_calibrated_with_them(torch_model, png_bytes):
    rule = replace(torch_model.checkpoint.release.decision, temperature=(3.0,))
    offered = replace(torch_model, views=Views(("identity", "flip_horizontal"), rule))
    async with VisionEngine(offered, ThreadPlan(1, 1, 1)) as engine:
        plain = await engine.predict(png_bytes, request_id="a")
        averaged = await engine.predict(png_bytes, request_id="b", options=Options(use_tta=True))

    assert averaged.probabilities != plain.probabilities
    assert "tta_unavailable" not in {warning.code for warning in averaged.warnings}


async def test_the_size_of_each_batch_is_told(torch_model, png_bytes):
    backend, sizes = SlowBackend(torch_model.backend), []
    model = with_backend(torch_model, backend)
    async with VisionEngine(
        model, ThreadPlan(1, 1, 1), max_batch=4, on_batch=sizes.append
    ) as engine:
        backend.armed = True
        first = asyncio.create_task(engine.predict(png_bytes, request_id="1"))
        await asyncio.to_thread(backend.entered.wait, 10)
        others = [asyncio.create_task(engine.predict(png_bytes, request_id="n")) for _ in range(3)]
        await until(lambda: engine.queue_length == 3)
        backend.release.set()
        await asyncio.gather(first, *others)

    assert sizes == [1, 3]
