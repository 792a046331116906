"""The graph made in another process."""

import pytest

from contracts.registry import get_modality
from vision_service.compiling import CannotCompile, compile_apart
from vision_service.model import ModelOptions, load_model

CHEST = get_modality("chest-xray")


def test_a_graph_made_apart_answers_as_torch_does(tiny_checkpoint_path):
    options = ModelOptions(device="cpu", compiler=compile_apart)

    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, options)

    assert model.backend.name == "onnxruntime"
    assert model.fell_back is None


def test_what_cannot_be_compiled_is_said(tmp_path):
    with pytest.raises(CannotCompile):
        compile_apart(tmp_path / "v1.pth")


def test_torch_answers_when_the_graph_cannot_be_made(tiny_checkpoint_path):
    def fail(_path):
        raise CannotCompile("TimeoutExpired")

    model = load_model(
        tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cpu", compiler=fail)
    )

    assert model.backend.name == "torch"
    assert "CannotCompile" in (model.fell_back or "")
