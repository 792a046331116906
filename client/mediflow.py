"""`MediFlow`: the API as one typed Python object.

with MediFlow("http://127.0.0.1:8000") as mediflow:
    prediction = mediflow.predict("chest-xray", "film.jpeg")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

import httpx2
from pydantic import ValidationError

from client.catalogue import (
    Modalities,
    ModalityEntry,
    ModelEntry,
    Models,
    StoredFeedback,
    Symptom,
    Symptoms,
    SystemStatus,
)
from client.connection import DEFAULT_URL, Call, Connection, Patience
from client.errors import Unreachable
from client.inputs import Input, Source
from contracts.receipts import ReceiptKey
from contracts.schemas import Explanation, Message, Prediction

#: Forms of a report.
REPORT_FORMS = ("pdf", "html")
MessageT = TypeVar("MessageT", bound=Message)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that the gateway made: a report, a picture or a card."""

    payload: bytes
    media_type: str


class MediFlow:
    """A gateway, asked over HTTP. Open it with `with`; threads may share it.

    Every method raises Refused when the gateway says no and Unreachable when it says nothing;
    those that take an input raise UnusableInput when it cannot be read here.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`transport` replaces the network, for tests."""
        self._connection = Connection(url, api_key=api_key, patience=patience, transport=transport)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close all connections."""
        self._connection.close()

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return self._connection.url

    def predict(
        self,
        modality: str,
        source: Source,
        *,
        prevalence: float | None = None,
        use_tta: bool | None = None,
    ) -> Prediction:
        """Answer one input of a known modality: a path, bytes, or a row of factors.

        `prevalence`, strictly between 0 and 1, adds probabilities after the test where you work.
        `use_tta` asks for several views or refuses them; without it the service decides.
        """
        options = _options(prevalence, use_tta)
        response = self._post(f"/v1/{modality}/predictions", source, options, once=True)
        return _read(response, Prediction)

    def analyze(
        self, source: Source, *, prevalence: float | None = None, use_tta: bool | None = None
    ) -> Prediction:
        """Answer one image whose modality the gateway finds out by itself."""
        options = _options(prevalence, use_tta)
        return _read(self._post("/v1/analyze", source, options, once=True), Prediction)

    def explain(self, modality: str, source: Source) -> Explanation:
        """Answer one input and show what the score rests on."""
        return _read(self._post(f"/v1/{modality}/explanations", source), Explanation)

    def report(
        self,
        modality: str,
        source: Source,
        form: str = "pdf",
        *,
        prevalence: float | None = None,
        use_tta: bool | None = None,
    ) -> Document:
        """Return the report of one input, `form` "pdf" or "html"; nothing of it is stored."""
        options = _options(prevalence, use_tta) | {"format": form}
        return _document(self._post(f"/v1/{modality}/reports", source, options))

    def render(
        self, modality: str, source: Source, form: Literal["png", "svg"] = "png"
    ) -> Document:
        """Return the picture that a person would look at; a record also as SVG."""
        options = {} if form == "png" else {"format": form}
        return _document(self._post(f"/v1/{modality}/renderings", source, options))

    def receipt(self, prediction_id: str) -> dict[str, object]:
        """Return the signed receipt as received: its signature covers every member of it."""
        response = self._get(f"/v1/predictions/{prediction_id}/receipt")
        try:
            document: dict[str, object] = response.json()
        except ValueError as error:
            raise _not_ours() from error
        return document

    def receipt_key(self) -> ReceiptKey:
        """Return the public key that verifies receipts; keep it, so that it cannot be swapped."""
        return _read(self._get("/v1/receipts/key"), ReceiptKey)

    def feedback(
        self,
        prediction_id: str,
        *,
        agree: bool,
        corrected_label: str | None = None,
        comment_code: str | None = None,
        patient_reference: str | None = None,
    ) -> StoredFeedback:
        """Say whether an answer was right; the latest word counts.

        `patient_reference` is your own opaque one; only a keyed hash of it is stored.
        """
        opinion = {
            "agree": agree,
            "corrected_label": corrected_label,
            "comment_code": comment_code,
            "patient_reference": patient_reference,
        }
        row = {name: value for name, value in opinion.items() if value is not None}
        return _read(self._post(f"/v1/predictions/{prediction_id}/feedback", row), StoredFeedback)

    def status(self) -> SystemStatus:
        """Return which modalities answer now."""
        return _read(self._get("/health"), SystemStatus)

    def modalities(self) -> list[ModalityEntry]:
        """Return what is offered, and what each modality takes."""
        return _read(self._get("/v1/modalities"), Modalities).modalities

    def models(self) -> list[ModelEntry]:
        """Return the model of each modality."""
        return _read(self._get("/v1/models"), Models).models

    def card(
        self, modality: str, form: Literal["json", "markdown", "html"] = "markdown"
    ) -> Document:
        """Return the card of the model that answers: data, limits, measured figures."""
        return _document(self._get(f"/v1/models/{modality}/card", {"format": form}))

    def symptoms(self) -> list[Symptom]:
        """Return the vocabulary of the symptom model."""
        return _read(self._get("/v1/symptoms"), Symptoms).symptoms

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> httpx2.Response:
        return self._connection.ask(Call("GET", path, params or {}, repeatable=True))

    def _post(
        self,
        path: str,
        source: Source,
        params: Mapping[str, str] | None = None,
        *,
        once: bool = False,
    ) -> httpx2.Response:
        """Send an input. `once`: under an Idempotency-Key, so that a repeat is answered once."""
        item = Input.of(source)
        headers = {"Content-Type": item.media_type}
        call = Call("POST", path, params or {}, headers, item.payload, keyed=once)
        return self._connection.ask(call)


def _options(prevalence: float | None, use_tta: bool | None) -> dict[str, str]:
    """The query, without what was not chosen."""
    chosen = {"prevalence": prevalence, "use_tta": use_tta}
    return {name: json.dumps(value) for name, value in chosen.items() if value is not None}


def _read(response: httpx2.Response, kind: type[MessageT]) -> MessageT:
    """Read an answer; Unreachable when it is none of a gateway."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise _not_ours() from error


def _document(response: httpx2.Response) -> Document:
    """Take an answer as a file."""
    return Document(response.content, response.headers.get("Content-Type", "").partition(";")[0])


def _not_ours() -> Unreachable:
    return Unreachable("The answer is none of MediFlow. Is the address right?", sent=False)
