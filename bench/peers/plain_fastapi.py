"""The design of the projects that MediFlow succeeds: FastAPI, the model inside `async def`."""

from __future__ import annotations

import sys
from typing import Annotated

import uvicorn
from fastapi import FastAPI, File, UploadFile

from bench.peers.model import PeerModel

app = FastAPI()
model = PeerModel()


@app.post("/predict")
async def predict(file: Annotated[UploadFile, File()]) -> dict[str, float]:
    """Answer one film."""
    return model.answer([model.prepare(await file.read())])[0]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
