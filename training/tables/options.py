"""Options of `training train` that do nothing for a tabular model, refused when given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.config import BadConfig

if TYPE_CHECKING:
    import typer

#: Parameters of the command that a tabular training reads.
TAKEN = ("modality", "manifest", "out", "config", "settings")


def refuse_idle_options(context: typer.Context) -> None:
    """Raise BadConfig naming every option given that would do nothing for a tabular model."""
    idle = []
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if name in TAKEN or source is None or source.name != "COMMANDLINE":
            continue
        off = context.params[name] is False and parameter.secondary_opts
        idle.append((parameter.secondary_opts if off else parameter.opts)[0])
    if idle:
        raise BadConfig(
            f"{', '.join(idle)}: does nothing for a tabular model, which is fitted on the CPU from "
            "the part train; it takes --manifest, --out, --config and --set"
        )
