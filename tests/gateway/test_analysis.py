import asyncio

import pytest
from prometheus_client import CollectorRegistry

from contracts.errors import InvalidInput, ModalityUnavailable, Overloaded, UpstreamUnavailable
from contracts.registry import MODALITIES, get_modality
from contracts.schemas import Explanation, Prediction
from gateway.analysis import Analysis
from gateway.draining import DrainGate
from gateway.lanes import open_lane
from gateway.metrics import GatewayMetrics
from gateway.question import Question
from gateway.upload import Upload
from serving.deadline import Deadline
from tests.gateway.fakes import JPEG_BYTES, prediction, settings_for

XRAY = get_modality("chest-xray")


class FakeClient:
    """Answers with what it was given; raises exceptions."""

    def __init__(self, answer=None):
        self.answer = answer or Prediction.model_validate(prediction())
        self.calls = 0
        self.gate = None

    async def predict(self, question):
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def explain(self, question):
        return Explanation(prediction=await self.predict(question), kind="withheld")


class Case:
    def __init__(self, folder, client, **changes):
        settings = settings_for(folder, **changes)
        self.clock = lambda: 100.0
        self.registry = CollectorRegistry()
        self.lanes = {
            modality.id: open_lane(settings, self.clock, DrainGate()) for modality in MODALITIES
        }
        metrics = GatewayMetrics(self.registry)
        metrics.watch(self.lanes)
        self.analysis = Analysis(client, self.lanes, metrics, new_id=lambda: "id-1")

    def question(self):
        upload = Upload(JPEG_BYTES, "image/jpeg", "0" * 64)
        return Question(XRAY, upload, "r", Deadline(110.0, self.clock))

    def sample(self, name, **labels):
        return self.registry.get_sample_value(name, labels)


async def test_the_answer_gets_its_id_and_the_times_of_the_gateway(tmp_path):
    answer = await Case(tmp_path, FakeClient()).analysis.predict(
        Case(tmp_path, FakeClient()).question()
    )

    assert answer.prediction_id == "id-1"
    assert answer.timing_ms.keys() == {"decode", "wait", "service"}


async def test_the_prediction_inside_an_explanation_is_completed_too(tmp_path):
    case = Case(tmp_path, FakeClient())

    explanation = await case.analysis.explain(case.question())

    assert explanation.prediction.prediction_id == "id-1"


async def test_a_wrong_door_names_the_right_one_if_it_is_open(tmp_path):
    reasons = [
        {"code": "wrong_modality", "message": "m", "looks_like": "ecg"},
        {"code": "wrong_modality", "message": "m", "looks_like": "brain-mri"},
        {"code": "quality.blur", "message": "m"},
    ]
    answer = prediction(outcome="rejected", label=None, probabilities={}, reasons=reasons)
    case = Case(tmp_path, FakeClient(Prediction.model_validate(answer)))

    completed = await case.analysis.predict(case.question())

    assert [reason.route for reason in completed.reasons] == ["/v1/ecg/predictions", None, None]


async def test_outcomes_and_failures_are_counted_by_modality(tmp_path):
    client = FakeClient()
    case = Case(tmp_path, client)
    await case.analysis.predict(case.question())
    client.answer = InvalidInput("x")
    with pytest.raises(InvalidInput):
        await case.analysis.predict(case.question())

    outcome = case.sample("gateway_outcomes_total", modality="chest-xray", outcome="accepted")
    failure = case.sample("gateway_failures_total", modality="chest-xray", status="422")
    assert (outcome, failure) == (1, 1)


async def test_F1_an_open_breaker_refuses_without_asking_and_leaves_others_alone(tmp_path):
    client = FakeClient(UpstreamUnavailable("x"))
    case = Case(tmp_path, client, breaker_failures=5)
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable):
            await case.analysis.predict(case.question())

    with pytest.raises(ModalityUnavailable):
        await case.analysis.predict(case.question())
    with pytest.raises(ModalityUnavailable):
        case.analysis.check(XRAY)
    case.analysis.check(get_modality("ecg"))

    assert client.calls == 5
    assert case.sample("gateway_breaker", modality="chest-xray", state="open") == 1
    assert case.sample("gateway_breaker", modality="ecg", state="closed") == 1


async def test_F8_a_draining_service_is_asked_nothing_new_and_others_are(tmp_path):
    client = FakeClient()
    client.gate = asyncio.Event()
    case = Case(tmp_path, client, max_concurrency=1)
    asked, waits = (asyncio.create_task(case.analysis.predict(case.question())) for _ in range(2))
    await asyncio.sleep(0.01)
    case.lanes["chest-xray"].gate.close()

    with pytest.raises(ModalityUnavailable) as refused:
        case.analysis.check(XRAY)
    with pytest.raises(ModalityUnavailable):
        await case.analysis.predict(case.question())
    case.analysis.check(get_modality("ecg"))
    draining = [case.sample("gateway_draining", modality=name) for name in ("chest-xray", "ecg")]
    client.gate.set()
    answer = await asked
    with pytest.raises(ModalityUnavailable):
        await waits

    assert refused.value.retry_after_seconds == 2
    assert answer.prediction_id == "id-1"
    assert draining == [1, 0]
    assert client.calls == 1
    assert case.sample("gateway_breaker", modality="chest-xray", state="closed") == 1


async def test_F6_beyond_places_and_waiting_room_a_question_is_shed(tmp_path):
    client = FakeClient()
    client.gate = asyncio.Event()
    case = Case(tmp_path, client, max_concurrency=1, max_waiting=1)
    held = [asyncio.create_task(case.analysis.predict(case.question())) for _ in range(2)]
    await asyncio.sleep(0.01)

    with pytest.raises(Overloaded):
        case.analysis.check(XRAY)
    with pytest.raises(Overloaded):
        await case.analysis.predict(case.question())

    assert case.sample("gateway_waiting", modality="chest-xray") == 1
    client.gate.set()
    assert len(await asyncio.gather(*held)) == 2


async def test_T13_a_caller_who_leaves_the_queue_is_never_asked_for(tmp_path):
    client = FakeClient()
    client.gate = asyncio.Event()
    case = Case(tmp_path, client, max_concurrency=1, max_waiting=10)
    tasks = [asyncio.create_task(case.analysis.predict(case.question())) for _ in range(6)]
    await asyncio.sleep(0.01)
    for task in tasks[1:]:
        task.cancel()
    client.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert client.calls == 1
