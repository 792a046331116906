"""The page's scripts and styles: a browser keeps them, and asks each time whether they changed."""

from __future__ import annotations

import os

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope


class CheckedFiles(StaticFiles):
    """Static files with an entity tag that are kept by browsers but never used unasked."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, or 304 where the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Accept-Ranges"] = "none"  # see `gateway.compression`
        # Weak, because the same file may leave compressed.
        if (tag := response.headers.get("ETag")) and not tag.startswith("W/"):
            response.headers["ETag"] = f"W/{tag}"
        return response
