"""`python -m training prepare|train|release|revise|evaluate|feedback <modality> …`.

Reads the command line, nothing else: each command is one call into the package.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadCheckpoint, ServiceError
from contracts.modality import Kind
from contracts.registry import get_modality
from training.config import load_config
from training.manifest import BadManifest

if TYPE_CHECKING:
    from training.fit.trained import Trained

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ModalityArgument = Annotated[str, typer.Argument(help="Modality id, such as chest-xray.")]
ManifestOption = Annotated[Path, typer.Option(help="CSV made by `prepare`, or by hand.")]
OpenTestOption = Annotated[
    str, typer.Option(help="Reason to open the official test part; logged, once per model.")
]
NoteOption = Annotated[
    list[str] | None, typer.Option("--note", help="Sentence for the card, such as a known bias.")
]
OutOption = Annotated[Path, typer.Option(help="Folder of the model files.")]


@app.command()
def prepare(
    modality: ModalityArgument,
    data: Annotated[Path, typer.Option(help="Folder of the published data set.")],
    out: Annotated[Path | None, typer.Option(help="Manifest to write.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Group to keep out.")] = None,
) -> None:
    """Read a published data set into a manifest grouped by patient, lesion or near-duplicate."""
    entry = get_modality(modality)
    module = importlib.import_module(f"training.prepare.{entry.id.replace('-', '_')}")
    target = out or Path("runs/manifests") / f"{entry.id}.csv"
    manifest = module.prepare(data, target, exclude=tuple(exclude or ()))
    from training.prepare.summary import summarise

    print(summarise(manifest))
    print(f"wrote {target}")


@app.command()
def train(  # noqa: PLR0913 - one parameter per option of the command line
    context: typer.Context,
    modality: ModalityArgument,
    manifest: ManifestOption,
    init: Annotated[str, typer.Option(help="Path of a state dict, imagenet or random.")] = "random",
    out: OutOption = Path("models"),
    run_folder: Annotated[
        Path | None, typer.Option(help="Run folder; an existing one resumes.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML instead of the preset.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value.")] = None,
    device: Annotated[str, typer.Option(help="cuda, cpu or auto.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the default.")] = 0,
    others: Annotated[list[Path] | None, typer.Option(help="Manifests of foreign images.")] = None,
    export: Annotated[bool, typer.Option(help="Calibrate and export when trained.")] = True,
    open_test: OpenTestOption = "",
    notes: NoteOption = None,
) -> None:
    """Train, calibrate and export one model; refuse a leaking manifest before anything else."""
    entry = get_modality(modality)
    if entry.kind is Kind.TABLE:
        from training.tables.options import refuse_idle_options
        from training.tabular import train_table

        refuse_idle_options(context)
        path = train_table(
            entry.id, manifest, out, recipe_file=config, settings=settings, reports=Path("runs")
        )
        return print(f"wrote {path}")
    import torch

    from training.fit.runner import train_network
    from training.manifest import read_manifest
    from training.prepare.leaks import check_manifest

    if threads:
        torch.set_num_threads(threads)
    recipe = load_config(entry.id, file=config, overrides=settings or ())
    rows = read_manifest(manifest, entry.id)
    check_manifest(rows)
    trained = train_network(
        entry,
        rows,
        recipe,
        init=init,
        run_dir=run_folder or Path("runs") / entry.id / recipe.digest()[:12],
        device_name=device,
        log=print,
    )
    if export:
        _export(trained, out, others or (), open_test, notes or ())


@app.command()
def release(
    run_folder: Annotated[Path, typer.Option(help="Folder of a finished run.")],
    manifest: ManifestOption,
    out: OutOption = Path("models"),
    others: Annotated[list[Path] | None, typer.Option(help="Manifests of foreign images.")] = None,
    open_test: OpenTestOption = "",
    notes: NoteOption = None,
) -> None:
    """Calibrate and export a finished run again, without training."""
    from training.fit.run_folder import load_run
    from training.manifest import read_manifest

    _export(
        load_run(run_folder, read_manifest(manifest)), out, others or (), open_test, notes or ()
    )


@app.command()
def revise(
    checkpoint: Annotated[Path, typer.Option(help="Model file of an image model, .pth.")],
    manifest: ManifestOption,
    out: OutOption = Path("models"),
    others: Annotated[list[Path] | None, typer.Option(help="Manifests of foreign images.")] = None,
) -> None:
    """Measure map and warnings of a model file anew; write the next version, same weights.

    With manifests of foreign images the checks of the input are fitted anew, too.
    """
    from training.manifest import read_manifest
    from training.release.revise import revise as revise_file

    rows = read_manifest(manifest)
    print(f"wrote {revise_file(checkpoint, rows, out, others=others or (), log=print)}")


@app.command()
def cross(
    modality: ModalityArgument,
    manifest: ManifestOption,
    run_folder: Annotated[Path, typer.Option(help="Run folder; finished folds are kept.")],
    init: Annotated[str, typer.Option(help="Path of a state dict, imagenet or random.")] = "random",
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value.")] = None,
    device: Annotated[str, typer.Option(help="cuda, cpu or auto.")] = "auto",
) -> None:
    """Score every case by a network that never saw its group, for sets without a test part.

    Give the folder of the run that will be released: its export calibrates on these scores.
    """
    from training.fit.cross import cross_validate
    from training.manifest import read_manifest
    from training.prepare.leaks import check_manifest

    entry = get_modality(modality)
    rows = read_manifest(manifest, entry.id)
    check_manifest(rows)
    recipe = load_config(entry.id, overrides=settings or ())
    scored = cross_validate(
        entry, rows, recipe, init=init, run_dir=run_folder, device_name=device, log=print
    )
    print(f"scored {len(scored)} cases out of fold")


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Option(help="Model file, .pth or .skops.")],
    manifest: ManifestOption,
    part: Annotated[str, typer.Option(help="Part to score; all for every row.")] = "test",
    out: Annotated[Path | None, typer.Option(help="Folder for rows, metrics, report.")] = None,
    open_test: OpenTestOption = "",
) -> None:
    """Score labelled inputs through the very code that serves; print metrics with intervals."""
    from training.evaluation.evaluate import EvaluateOptions, evaluate_checkpoint

    options = EvaluateOptions(reason=open_test)
    evaluate_checkpoint(checkpoint, manifest, part=part, out=out, log=print, options=options)


@app.command()
def doors(
    models: Annotated[list[Path], typer.Argument(help="Model files of image models, .pth.")],
    source: Annotated[list[Path], typer.Option(help="Manifest, or folder of pictures.")],
    count: Annotated[int, typer.Option(help="Pictures of each kind.", min=1)] = 100,
) -> None:
    """Bring every kind of picture to every model; print what was rejected, with intervals."""
    import tempfile

    from training.validity.doors import door_table, visit_all, write_kinds

    with tempfile.TemporaryDirectory() as folder:
        kinds = write_kinds(source, Path(folder), count)
        print(door_table(list(visit_all(models, kinds))))


@app.command()
def feedback(
    export: Annotated[Path, typer.Option(help="CSV from `python -m gateway feedback export`.")],
    data: Annotated[Path, typer.Option(help="Folder with the site's own files.")],
    out: Annotated[Path, typer.Option(help="Manifest to write.")],
) -> None:
    """Find corrected and uncertain cases among the site's own files by SHA-256."""
    from training.feedback import write_feedback_manifest

    print(write_feedback_manifest(export, data, out))


def _export(
    trained: Trained, out: Path, others: Sequence[Path], open_test: str, notes: Sequence[str]
) -> None:
    """Calibrate, measure and write the next version; out-of-fold scores are used when there."""
    from training.explain.explanation import fit_explanation
    from training.export import release as export_release
    from training.fit.cross import NAME, load_out_of_fold
    from training.fit.run_folder import seed_weights
    from training.release.options import ReleaseOptions
    from training.validity.foreign import fit_checks

    folded = (trained.run_dir / NAME).exists()
    options = ReleaseOptions(
        out_of_fold=load_out_of_fold(trained.run_dir, trained.manifest, trained.modality)
        if folded
        else None,
        members=seed_weights(trained),
        fit_validity=fit_checks if others else None,
        fit_explanation=fit_explanation,
        test_reason=open_test,
        notes=tuple(notes),
    )
    print(f"wrote {export_release(trained, out, others=tuple(others), options=options)}")


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        app()
    except (BadManifest, BadCheckpoint, ServiceError, ValueError, FileNotFoundError) as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
