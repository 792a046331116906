"""All routes of earlier clients, for the composition root."""

from __future__ import annotations

from gateway.compat import about, analyze, predict, tabular, vision

ROUTERS = (about.router, analyze.router, tabular.router, vision.router, predict.router)
