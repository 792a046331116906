import base64
import io
from dataclasses import replace

import psutil
import pytest
import torch
from PIL import Image

from contracts.explainer import LAYER_CAM, NoMap, influence_map
from serving.timing import Stopwatch
from vision_service.engine import VisionEngine
from vision_service.overlay import display_copy, draw_overlay
from vision_service.prepare import prepare
from vision_service.threads import ThreadPlan


def with_explanation(model, facts):
    release = replace(model.checkpoint.release, explanation=facts)
    return replace(model, checkpoint=replace(model.checkpoint, release=release))


@pytest.fixture
def tensor(torch_model, png_bytes):
    return prepare(png_bytes, torch_model, Stopwatch()).tensor


def by_hooks(network, tensor, index, block):
    """Grad-CAM as the paper writes it, with hooks, as the reference."""
    kept = {}

    def keep(module, inputs, output):
        output.retain_grad()
        kept["a"] = output

    copy = tensor.clone().requires_grad_(True)
    handle = network.features[block].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            network(copy[None])[0, index].backward()
    finally:
        handle.remove()
    activations, gradient = kept["a"], kept["a"].grad
    return torch.relu((gradient.mean((2, 3), keepdim=True) * activations).sum(1))[0].detach()


@pytest.mark.parametrize("block", [4, 7, 8])
def test_the_map_is_grad_cam(torch_model, tensor, block):
    found = influence_map(torch_model.network, tensor, 1, f"features[{block}]")

    torch.testing.assert_close(
        found.values, by_hooks(torch_model.network, tensor, 1, block), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("block", [4, 8])
def test_layer_cam_weighs_each_place_by_its_own_gradient(torch_model, tensor, block):
    network = torch_model.network
    with torch.no_grad():
        activation = network.features[: block + 1](tensor[None])

    def lead(values):
        pooled = network.features[block + 1 :](values).mean((2, 3))
        logits = network.classifier(pooled)[0]
        return logits[1] - logits[0]

    gradient = torch.func.grad(lead)(activation)
    expected = torch.relu((torch.relu(gradient) * activation).sum(1))[0]

    found = influence_map(network, tensor, 1, f"features[{block}]", method=LAYER_CAM, contrast=True)

    torch.testing.assert_close(found.values, expected, rtol=1e-3, atol=1e-5)


def test_a_map_of_several_blocks_is_the_mean_at_the_finest_grid(torch_model, tensor):
    network = torch_model.network
    fine = influence_map(network, tensor, 1, "features[4]", method=LAYER_CAM).values
    coarse = influence_map(network, tensor, 1, "features[8]", method=LAYER_CAM).values
    grown = torch.nn.functional.interpolate(
        coarse[None, None], size=fine.shape, mode="bilinear", align_corners=False
    )[0, 0]

    both = influence_map(network, tensor, 1, "features[8]+features[4]", method=LAYER_CAM).values

    torch.testing.assert_close(
        both, (fine / fine.max() + grown / coarse.max()) / 2, rtol=1e-3, atol=1e-5
    )


def test_a_kind_of_map_that_nobody_makes_gives_none(torch_model, tensor):
    with pytest.raises(NoMap):
        influence_map(torch_model.network, tensor, 0, "features[8]", method="crystal-ball")


def test_the_map_repeats_bit_for_bit(torch_model, tensor):
    first = influence_map(torch_model.network, tensor, 0, "features[8]")
    again = influence_map(torch_model.network, tensor, 0, "features[8]")

    assert torch.equal(first.values, again.values)


def test_five_hundred_maps_leave_nothing_behind(torch_model, tensor):
    """A map that kept its graph, its activations or a hook would keep megabytes each time."""
    small = torch.nn.functional.interpolate(tensor[None], size=(32, 32))[0]
    process = psutil.Process()
    for _ in range(50):
        influence_map(torch_model.network, small, 0, "features[8]")
    before = process.memory_info().rss

    for _ in range(500):
        influence_map(torch_model.network, small, 0, "features[8]")

    assert process.memory_info().rss - before < 32 * 1024 * 1024
    assert all(parameter.grad is None for parameter in torch_model.network.parameters())
    assert not any(module._forward_hooks for module in torch_model.network.modules())


@pytest.mark.parametrize("layer", ["features[99]", "layer4", "", "features[-1]", "features[4]+"])
def test_a_layer_that_is_not_there_gives_no_map(torch_model, tensor, layer):
    with pytest.raises(NoMap):
        influence_map(torch_model.network, tensor, 0, layer)


def test_an_architecture_without_features_gives_no_map(tensor):
    with pytest.raises(NoMap):
        influence_map(torch.nn.Linear(2, 2), tensor, 0, "features[8]")


async def test_an_explanation_holds_the_answer_the_map_and_the_overlay(engine, png_bytes):
    explanation = await engine.explain(png_bytes, request_id="x")

    prediction = await engine.predict(png_bytes, request_id="x")
    overlay = Image.open(io.BytesIO(base64.b64decode(explanation.overlay_png_base64)))
    assert explanation.kind == "influence_map"
    assert explanation.prediction.probabilities == prediction.probabilities
    assert explanation.target in prediction.probabilities
    assert explanation.layer == "features[8]"
    assert (len(explanation.map), len(explanation.map[0])) == (2, 2)
    assert explanation.map_range[1] == pytest.approx(max(map(max, explanation.map)))
    assert (overlay.format, overlay.size) == ("PNG", (64, 64))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "not checked"),
        ({"layer": "features[8]"}, "not checked"),
        ({"layer": "features[8]", "passed": False}, "failed its checks"),
        ({"passed": False, "reason": "Misses the lesion."}, "Misses the lesion."),
        ({"layer": "nonsense", "passed": True}, "does not have"),
    ],
)
async def test_a_map_that_may_not_be_trusted_is_withheld_and_says_why(
    torch_model, png_bytes, facts, words
):
    model = with_explanation(torch_model, facts)
    async with VisionEngine(model, ThreadPlan(1, 1, 1)) as engine:
        explanation = await engine.explain(png_bytes, request_id="x")

    assert explanation.kind == "withheld"
    assert words in explanation.withheld_reason
    assert (explanation.map, explanation.overlay_png_base64) == (None, None)
    assert explanation.prediction.probabilities


def test_the_overlay_leaves_the_picture_alone_where_nothing_speaks():
    picture = Image.new("RGB", (40, 40), (10, 200, 30))

    empty = draw_overlay(picture, torch.zeros((4, 4)))
    values = torch.zeros((8, 8))
    values[7, 7] = 5.0
    marked = draw_overlay(picture, values)

    assert empty.tobytes() == picture.tobytes()
    assert marked.getpixel((0, 0)) == (10, 200, 30)
    assert marked.getpixel((39, 39)) != (10, 200, 30)


def test_the_overlay_of_a_grey_picture_is_that_of_its_copy_in_three_channels():
    grey = Image.linear_gradient("L").resize((40, 40))
    values = torch.arange(64.0).reshape(8, 8)

    overlay = draw_overlay(grey, values)

    assert overlay.mode == "RGB"
    assert overlay.tobytes() == draw_overlay(grey.convert("RGB"), values).tobytes()


@pytest.mark.parametrize(
    ("size", "shown"),
    [((3000, 1500), (1024, 512)), ((900, 400), (900, 400)), ((32, 640), (32, 640))],
)
def test_the_display_copy_has_no_side_above_1024_pixels(size, shown):
    assert display_copy(Image.new("RGB", size)).size == shown
