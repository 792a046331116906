"""GET /v1/predictions/{prediction_id}/receipt and GET /v1/receipts/key: proof of an answer."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from contracts.receipts import ReceiptKey, SignedReceipt
from gateway.dependencies import PartsDep, PredictionIdDep, no_query
from gateway.documents import READ_ERRORS, problems
from gateway.recording import exchange_of

router = APIRouter(tags=["receipts"], dependencies=[Depends(no_query)])


@router.get("/v1/predictions/{prediction_id}/receipt", responses=problems(READ_ERRORS))
async def receipt(
    request: Request, parts: PartsDep, prediction_id: PredictionIdDep
) -> SignedReceipt:
    """Return the signed receipt of a prediction, to the key that asked for it only.

    It states hashes of input and model, thresholds, probabilities and outcome. Check it with
    `python -m gateway receipts verify`, also against the file and a running gateway.
    """
    exchange = exchange_of(request)
    signed = await parts.store.receipts.issue(prediction_id, exchange.caller or "")
    exchange.refers_to = prediction_id
    exchange.modality = signed.receipt.modality
    return signed


@router.get("/v1/receipts/key", responses=problems((422,)))
async def receipt_key(parts: PartsDep) -> ReceiptKey:
    """Return the public key that verifies receipts; keep it, so that it cannot be swapped."""
    return parts.store.receipts.key()
