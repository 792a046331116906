"""`docs/settings.md`, written from the settings themselves: `python -m deploy.settings_page`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from gateway.settings import GatewaySettings
from serving.settings import ServiceSettings

_INTRODUCTION = """# Settings

Everything is set by environment variables; an empty default means unset. Written by
`python -m deploy.settings_page`, from the descriptions in the code.
"""


def page() -> str:
    """Return the whole page."""
    gateway = "\n".join(_table(GatewaySettings))
    service = "\n".join(_table(ServiceSettings))
    return f"{_INTRODUCTION}\n## Gateway\n\n{gateway}\n\n## Services\n\n{service}\n"


def _table(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in settings.model_fields.items():
        meaning = " ".join((field.description or "").split())
        yield f"| `{prefix}{name.upper()}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default in (None, (), {}) else f"`{field.default}`"


if __name__ == "__main__":
    print(page(), end="")
