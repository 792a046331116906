"""Hand an answer out: note it for log and record, write it once, tell the timings."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from contracts.schemas import Explanation, Prediction
from gateway.recording import exchange_of
from serving.scope import note
from serving.timing import server_timing

JSON_TYPE = "application/json"


def prediction_response(request: Request, prediction: Prediction) -> Response:
    """Return the 200 of a prediction."""
    note_prediction(request, prediction)
    return Response(
        prediction.model_dump_json(),
        media_type=JSON_TYPE,
        headers={"Server-Timing": server_timing(prediction.timing_ms)},
    )


def explanation_response(request: Request, explanation: Explanation) -> Response:
    """Return the 200 of an explanation."""
    note_prediction(request, explanation.prediction)
    return Response(
        explanation.model_dump_json(),
        media_type=JSON_TYPE,
        headers={"Server-Timing": server_timing(explanation.prediction.timing_ms)},
    )


def note_prediction(request: Request, prediction: Prediction) -> None:
    """Put the answer into the record of this request, and its outcome into the log line."""
    exchange_of(request).prediction = prediction
    note(
        request.scope,
        outcome=prediction.outcome.value,
        model=f"{prediction.model.name} {prediction.model.version}",
    )
