"""Mixed requests as a house would send them, and bad ones among them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from bench.film import raw_posts
from bench.load import NextRequest, Pieces
from tests.soak.samples import record_zip, sample

JSON = "application/json"
PREDICTIONS = "/v1/{}/predictions"
#: Share of each kind of request in all traffic; one in a hundred is bad.
SHARES: Mapping[str, float] = {
    "chest-xray": 0.25,
    "skin-lesion": 0.10,
    "breast-ultrasound": 0.10,
    "ecg": 0.08,
    "symptoms": 0.20,
    "heart-risk": 0.20,
    "explanations": 0.06,
    "bad": 0.01,
}


def post(path: str, payload: bytes, media_type: str) -> Pieces:
    """One request in pieces."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode(), payload


def bad_requests() -> list[Pieces]:
    """Requests that must be refused: cut, of another kind, hostile, or no requests of ours."""
    film = sample("chest-xray/person418_virus_852.jpeg")
    chest, heart = PREDICTIONS.format("chest-xray"), PREDICTIONS.format("heart-risk")
    png = b"\x89PNG\r\n\x1a\n"
    return [
        post(chest, film[: len(film) // 2], "image/jpeg"),
        post(chest, b"GIF89a" + bytes(200), "image/jpeg"),
        post(chest, film, "text/html"),
        post(chest, b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        post(PREDICTIONS.format("breast-ultrasound"), png + bytes(64), "image/png"),
        post(PREDICTIONS.format("ecg"), record_zip()[:2000], "application/zip"),
        post(heart, b'{"age": NaN}', JSON),
        post(heart, b'{"age": 1e999, "sex": "male"}', JSON),
        post(PREDICTIONS.format("symptoms"), b"[" * 5000, JSON),
        post(PREDICTIONS.format("no-such"), b"{}", JSON),
    ]


def requests() -> dict[str, NextRequest]:
    """What makes the next request of each kind."""
    bad = itertools.cycle(bad_requests())
    return {
        "chest-xray": _film("chest-xray/person418_virus_852.jpeg", "chest-xray/predictions"),
        "skin-lesion": _film("skin-lesion/ISIC_0024306.jpg", "skin-lesion/predictions"),
        "explanations": _film("skin-lesion/ISIC_0024306.jpg", "skin-lesion/explanations"),
        "breast-ultrasound": _same(
            "breast-ultrasound", sample("breast-ultrasound/benign-31.png"), "image/png"
        ),
        "ecg": _same("ecg", record_zip(), "application/zip"),
        "symptoms": _same("symptoms", sample("symptoms/chills-and-fever.json"), JSON),
        "heart-risk": _same("heart-risk", sample("heart-risk/man-58.json"), JSON),
        "bad": lambda: next(bad),
    }


def _film(name: str, route: str) -> NextRequest:
    return raw_posts(sample(name), f"/v1/{route}")


def _same(modality: str, payload: bytes, media_type: str) -> NextRequest:
    pieces = post(PREDICTIONS.format(modality), payload, media_type)
    return lambda: pieces
