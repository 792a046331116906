"""Make one report: ask like any other request, compose the page, print it, keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.modality import Modality
from contracts.schemas import ModelInfo, Prediction
from gateway.analysis import Analysis
from gateway.client import InferenceClient
from gateway.moment import utc_now
from gateway.question import Question
from gateway.report.compose import Case, compose
from gateway.report.html import to_html
from gateway.report.pdf import PdfPress
from serving.timing import Stopwatch


class Form(StrEnum):
    """The forms of a report."""

    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Report:
    """One printed report, and the answer that stands on it."""

    payload: bytes
    form: Form
    prediction: Prediction
    timing_ms: dict[str, float]


class ReportOffice(AbstractContextManager["ReportOffice"]):
    """Makes reports; open it with `with`.

    Raises what `Analysis` raises, and Overloaded when too many PDFs wait.
    """

    def __init__(
        self,
        analysis: Analysis,
        client: InferenceClient,
        press: PdfPress,
        modalities: Iterable[Modality],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`modalities` are those that are offered here."""
        self._analysis = analysis
        self._client = client
        self._press = press
        self._titles = {modality.id: modality.title for modality in modalities}
        self._now = now

    def __exit__(self, *exc: object) -> None:
        """Let go of the press."""
        self._press.close()

    async def make(self, question: Question, form: Form, reference: str | None) -> Report:
        """Return the report of one input; a rejected input gives a report that says so."""
        modality, stopwatch = question.modality, Stopwatch()
        explanation = await self._analysis.explain(question)
        prediction = explanation.prediction
        with stopwatch.stage("picture"):
            picture = await self._analysis.render(question) if modality.is_image else None
            info = await self._model_of(question, prediction)
        made = self._now()
        case = Case(modality, explanation, picture, info)
        page = compose(case, titles=self._titles, reference=reference, made=made)
        with stopwatch.stage("print"):
            if form is Form.PDF:
                payload = await self._press.print(page, made, question.deadline)
            else:
                payload = to_html(page)
        return Report(payload, form, prediction, prediction.timing_ms | stopwatch.timing_ms)

    async def _model_of(self, question: Question, prediction: Prediction) -> ModelInfo | None:
        """Return what the service says of its model; None when that is another one by now."""
        info = await self._client.describe(
            question.modality.id, question.request_id, question.deadline
        )
        return info if info.sha256 == prediction.model.sha256 else None
