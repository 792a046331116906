"""Which route of /v1 takes the place of each earlier one."""

from __future__ import annotations

from typing import Any

TAG = "compatibility"

#: Answers and errors of these routes say whether they are a success.
FLAGGED = {
    "/symptoms": "/v1/symptoms",
    "/analyze/skin": "/v1/skin-lesion/predictions",
    "/analyze/heart": "/v1/ecg/predictions",
    "/analyze/breast": "/v1/breast-ultrasound/predictions",
    "/analyze/xray": "/v1/chest-xray/predictions",
    "/predict-disease": "/v1/symptoms/predictions",
    "/predict-heart": "/v1/heart-risk/predictions",
}
SUCCESSORS = FLAGGED | {
    "/api/vision/analyze": "/v1/chest-xray/predictions",
    "/predict": "/v1/chest-xray/predictions",
    "/model/info": "/v1/models",
}
#: Deprecated from the first release on (RFC 9745: seconds since 1970; 2026-11-20).
DEPRECATED_SINCE = "@1795132800"


def deprecation_headers(path: str) -> dict[str, str]:
    """Return what every answer of an earlier route says about its successor."""
    return {
        "Deprecation": DEPRECATED_SINCE,
        "Link": f'<{SUCCESSORS[path]}>; rel="successor-version"',
    }


def documented_headers() -> dict[str, dict[str, Any]]:
    """Return these headers as the OpenAPI document describes them."""
    return {
        "Deprecation": {
            "description": "Since when this route is deprecated (RFC 9745).",
            "schema": {"type": "string"},
        },
        "Link": {
            "description": "The route that takes its place (RFC 8288).",
            "schema": {"type": "string"},
        },
    }
