"""`mediflow analyze FILE…`: one answer, or a folder full of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from client.batch import Asker, Tally, run
from client.commands.options import (
    ERR,
    OUT,
    ApiKey,
    AsJson,
    ModalityName,
    Url,
    connected,
    explained,
)
from client.connection import DEFAULT_URL, Patience
from client.display import show_answer, show_error, show_summary
from client.errors import UnusableInput
from client.inputs import gather
from client.results_file import ResultsFile, record_of
from contracts.schemas import Prediction

#: A long run outlives a restart of the gateway and a used-up quota.
LONG = Patience(repeats=300.0, failed_connects=60)


def analyze(
    files: Annotated[
        list[Path], typer.Argument(help="Images, records (.hea or .dat), JSON rows, or folders.")
    ],
    modality: ModalityName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write results here (.csv or .jsonl).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an --output that was begun.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Files under way at once.")] = 4,
    prevalence: Annotated[
        float | None,
        typer.Option(help="Prevalence where you work, between 0 and 1.", show_default=False),
    ] = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average several views, where the model allows it.")
    ] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Analyse files and folders.

    One file is shown in full, several as a table. None stops the others.

    Exit code, the highest counts: 0 accepted, 3 abstained, 4 rejected,
    5 refused, 6 unreachable; 2 wrong usage.
    """
    with explained():
        inputs = _inputs(files)
        store = ResultsFile(output, resume=resume) if output else None
    left = [path for path in inputs if store is None or str(path) not in store.answered]
    tally = Tally()
    patience = LONG if len(inputs) > 1 else None
    with connected(url, api_key, patience) as mediflow, closing(store) if store else nullcontext():
        offered = () if modality else mediflow.modalities()
        asker = Asker(mediflow, modality, offered, prevalence, tta)
        with _progress(len(left), shown=len(inputs) > 1) as advance:
            for result in run(left, asker, jobs):
                tally.add(result)
                if store:
                    store.add(result)
                if as_json:
                    typer.echo(json.dumps(record_of(result), ensure_ascii=False))
                advance()
    if not as_json:
        _show(tally, len(inputs), len(left), output)
    raise typer.Exit(tally.exit)


def _inputs(files: list[Path]) -> list[Path]:
    """The input files; UnusableInput when there are none."""
    found = gather(files)
    if not found:
        raise UnusableInput("There is no image, record or JSON row in this folder.")
    return found


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Callable[[], object]]:
    """Yield what to call after each file; the bar is drawn on a terminal only."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    hidden = not (shown and ERR.is_terminal)
    with Progress(*columns, console=ERR, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _show(tally: Tally, given: int, asked: int, output: Path | None) -> None:
    """Print one answer in full, several as a table with their counts."""
    if given == 1 and asked == 1:
        (result,) = tally.first
        if isinstance(result.end, Prediction):
            show_answer(OUT, result.file.name, result.end)
        else:
            show_error(ERR, result.end, str(result.file))
        return
    if tally.first:
        show_summary(OUT, sorted(tally.first, key=lambda result: result.file))
    if tally.total > len(tally.first):
        OUT.print(f"and {tally.total - len(tally.first)} more")
    counts = ", ".join(f"{count} {name}" for name, count in tally.counts.most_common())
    ERR.print(f"{tally.total} of {given} files asked now" + (f": {counts}" if counts else ""))
    if asked > tally.total:
        again = f"; go on with --resume --output {output}" if output else ""
        ERR.print(f"Stopped early, {asked - tally.total} files were not asked{again}.")
    if output:
        ERR.print(f"Results: {output}")
