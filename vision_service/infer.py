"""`python -m vision_service infer`: one file in, one JSON answer out, over the serving code."""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from contracts.errors import BadCheckpoint, ServiceError
from contracts.registry import MODALITIES
from contracts.schemas import Explanation


def run_infer(arguments: list[str]) -> int:
    """Return 0 with an answer written, 1 when the input or the model was refused."""
    options = _parser().parse_args(arguments)
    modality = options.modality or options.checkpoint.resolve().parent.name
    if modality not in [entry.id for entry in MODALITIES if entry.is_image]:
        return _fail("Say which modality with --modality: the file's folder does not name one.")
    from vision_service.library import analyze, analyze_and_explain

    try:
        payload = options.input.read_bytes()
        if options.overlay is None:
            answer = analyze(payload, modality, options.checkpoint).model_dump_json(indent=2)
        else:
            explanation = analyze_and_explain(payload, modality, options.checkpoint)
            answer = explanation.prediction.model_dump_json(indent=2)
            _write_overlay(explanation, options.overlay)
    except ServiceError as error:
        return _fail(error.detail)
    except BadCheckpoint as error:
        return _fail(f"The model file was refused: {error}.")
    except OSError as error:
        return _fail(f"Cannot read the input: {error.strerror}.")
    if options.output is None:
        sys.stdout.write(f"{answer}\n")
    else:
        options.output.write_text(f"{answer}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m vision_service infer", description="Answer one file and exit."
    )
    parser.add_argument(
        "--checkpoint", "--model", type=Path, required=True, help="model file (.pth)"
    )
    parser.add_argument("--input", type=Path, required=True, help="JPEG, PNG or WFDB zip")
    parser.add_argument("--output", type=Path, help="where the JSON goes; else standard output")
    parser.add_argument("--overlay", type=Path, help="write the influence map over the input here")
    parser.add_argument("--modality", help="default: the name of the checkpoint's folder")
    return parser


def _write_overlay(explanation: Explanation, path: Path) -> None:
    """Write the overlay, or say why there is none."""
    if explanation.overlay_png_base64 is None:
        sys.stderr.write(f"No overlay: {explanation.withheld_reason}\n")
        return
    path.write_bytes(base64.b64decode(explanation.overlay_png_base64))


def _fail(message: str) -> int:
    """Say what is wrong in one line."""
    sys.stderr.write(f"{message}\n")
    return 1
