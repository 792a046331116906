"""GET /v1/symptoms: the vocabulary of the symptom model."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from contracts.errors import UnknownModality
from contracts.schemas import Message
from gateway.dependencies import PartsDep, no_query
from gateway.documents import READ_ERRORS, problems

router = APIRouter(tags=["catalogue"], dependencies=[Depends(no_query)])


class Symptom(Message):
    """One symptom: the id to send, its name, and other words that are understood."""

    id: str
    name: str
    synonyms: list[str]


class Symptoms(Message):
    """The whole closed vocabulary."""

    symptoms: list[Symptom]


@router.get("/v1/symptoms", responses=problems(READ_ERRORS))
async def symptoms(parts: PartsDep) -> Symptoms:
    """List all symptoms with ids, names and synonyms."""
    terms = [term for modality in parts.modalities for term in modality.vocabulary]
    if not terms:
        raise UnknownModality("No modality with a vocabulary is offered here.")
    return Symptoms(
        symptoms=[
            Symptom(id=term.id, name=term.name, synonyms=list(term.synonyms)) for term in terms
        ]
    )
