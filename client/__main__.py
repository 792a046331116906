"""`mediflow`, also `python -m client`: the command line."""

from __future__ import annotations

import typer

from client.commands import doctor, explain, feedback, models, receipt, report, status
from client.commands.analyze import analyze

app = typer.Typer(
    name="mediflow",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # A traceback with values could show an input.
    help="Ask a MediFlow gateway. Research and education only, never a diagnosis.",
)
app.command()(analyze)
app.command()(explain.explain)
app.command()(report.report)
app.command()(status.status)
app.command()(models.models)
app.add_typer(receipt.app, name="receipt")
app.command()(feedback.feedback)
app.command()(doctor.doctor)

if __name__ == "__main__":
    app(prog_name="mediflow")
