"""What one request carries from middleware to middleware, kept in the ASGI scope's state."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

#: The only facts that reach a log line; everything else is dropped.
NOTABLE = frozenset({"modality", "bytes", "media_type", "outcome", "code", "model", "backend"})
UNMATCHED = "unmatched"


def state_of(scope: Scope) -> dict[str, Any]:
    """Return the state dict of this request, made when the server gave none."""
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


def note(scope: Scope, **facts: str | int | None) -> None:
    """Add facts to this request's log line; raise KeyError for a fact that may not be logged."""
    unknown = facts.keys() - NOTABLE
    if unknown:
        raise KeyError(f"not a notable fact: {sorted(unknown)}")
    state_of(scope).setdefault("facts", {}).update(facts)


def facts_of(scope: Scope) -> dict[str, str | int | None]:
    """Return the facts noted so far."""
    facts: dict[str, str | int | None] = state_of(scope).get("facts", {})
    return facts


def request_id_of(scope: Scope) -> str:
    """Return the id of this request, or an empty string outside the request-id middleware."""
    return str(state_of(scope).get("request_id", ""))


def name_route(scope: Scope, template: str) -> None:
    """Say which route a request is for that is answered before it is matched."""
    state_of(scope)["route"] = template


def route_template_of(scope: Scope) -> str:
    """Return the matched route with its placeholders, prefix included; never the path sent."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    for holder in (context, scope.get("route")):
        template = getattr(holder, "path_format", None) or getattr(holder, "path", None)
        if template:
            return str(template)
    return str(state_of(scope).get("route", UNMATCHED))
