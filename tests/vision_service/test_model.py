from dataclasses import replace

import pytest
import torch

from contracts.checkpoint import load_checkpoint, save_checkpoint, with_release
from contracts.errors import BadCheckpoint
from contracts.registry import get_modality
from vision_service.backends.onnxruntime import OnnxBackend
from vision_service.backends.torch import TorchBackend
from vision_service.compiled import Compiled, compile_model, from_bytes, kept_or_compiled
from vision_service.describe import describe
from vision_service.graph import DamagedGraph, Graph, compile_graph
from vision_service.model import ModelOptions, load_model
from vision_service.parity import compare
from vision_service.quality_control import QualityControl
from vision_service.threads import ThreadPlan

CHEST = get_modality("chest-xray")


@pytest.fixture(scope="module")
def graph(torch_model):
    return compile_graph(torch_model.network, torch_model.image)


@pytest.fixture
def altered(tiny_checkpoint_path, tmp_path):
    """Return a function that saves the tiny model after a change, with a right digest."""

    def save(change):
        checkpoint = load_checkpoint(tiny_checkpoint_path("chest-xray"), CHEST)
        return save_checkpoint(change(checkpoint), tmp_path)

    return save


def test_the_compiled_form_answers_as_torch_does_for_any_batch_size(torch_model, graph):
    backend = OnnxBackend(graph, threads=1)
    batch = torch.randn(5, 3, 64, 64)

    ours, theirs = backend.infer(batch), torch_model.backend.infer(batch)

    for name in ("logits", "middle", "penultimate"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), rtol=1e-3, atol=1e-3)
    assert compare(
        ours.logits, theirs.logits, torch_model.checkpoint.release.decision, CHEST
    ).holds()


def test_a_call_that_is_alone_gives_the_same_bits_on_more_threads(graph):
    backend = OnnxBackend(graph, threads=1, threads_alone=2)
    batch = torch.randn(1, 3, 64, 64)

    beside_others, alone = backend.infer(batch), backend.infer(batch, alone=True)

    for name in ("logits", "middle", "penultimate"):
        assert torch.equal(getattr(beside_others, name), getattr(alone, name))


@pytest.mark.parametrize(("most", "shown"), [(None, {}), (1, {}), (2, {"alone": 2})])
def test_the_threads_of_a_call_that_is_alone_are_shown_where_they_differ(
    torch_model, graph, most, shown
):
    plan = ThreadPlan(compute=1, infer_workers=2, decode_workers=2)
    model = replace(torch_model, backend=OnnxBackend(graph, 1, most))

    assert describe(model, plan).threads == plan.as_dict() | shown


def test_on_a_cpu_the_compiled_form_is_chosen(tiny_checkpoint_path):
    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cpu"))

    assert (model.backend.name, model.backend.device) == ("onnxruntime", "cpu")
    assert model.fell_back is None


def test_a_graph_that_answers_otherwise_is_replaced_by_torch(tiny_checkpoint_path, tmp_path):
    path = tiny_checkpoint_path("chest-xray")
    wrong = load_model(path, CHEST, ModelOptions("torch", "cpu"))
    with torch.no_grad():
        wrong.network.classifier[1].bias += torch.tensor([1.0, -1.0])
    right = compile_model(wrong.checkpoint).golden_logits
    spoilt = Compiled(compile_graph(wrong.network, wrong.image), right)
    kept_or_compiled(lambda: spoilt, wrong.checkpoint.release.sha256, tmp_path)

    model = load_model(path, CHEST, ModelOptions(device="cpu", cache_dir=tmp_path))

    assert model.backend.name == "torch"
    assert "differs" in (model.fell_back or "")


def test_S8_a_byte_flipped_in_the_graph_is_noticed_before_it_is_run(graph):
    flipped = bytearray(graph.payload)
    flipped[len(flipped) // 2] ^= 0x40

    with pytest.raises(DamagedGraph):
        OnnxBackend(Graph(bytes(flipped), graph.sha256), threads=1)


def test_a_kept_form_is_used_again_and_a_damaged_one_is_made_again(torch_model, tmp_path):
    made = []

    def compile_it():
        made.append(1)
        return compile_model(torch_model.checkpoint)

    digest = torch_model.checkpoint.release.sha256
    first = kept_or_compiled(compile_it, digest, tmp_path)
    again = kept_or_compiled(compile_it, digest, tmp_path)
    times_made = len(made)
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:-1])
    repaired = kept_or_compiled(compile_it, digest, tmp_path)

    assert (times_made, len(made)) == (1, 2)
    assert again.graph == first.graph
    assert torch.equal(again.golden_logits, first.golden_logits)
    assert from_bytes(kept.read_bytes()).graph == repaired.graph


def test_a_folder_that_cannot_be_written_is_no_error(torch_model, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    compiled = compile_model(torch_model.checkpoint)

    assert kept_or_compiled(lambda: compiled, "d", blocked / "folder") is compiled


@pytest.mark.parametrize("payload", [b"", b"PK\x03\x04", b"not a file of arrays"])
def test_what_is_no_compiled_form_is_told(payload):
    with pytest.raises(DamagedGraph):
        from_bytes(payload)


def test_a_service_at_rest_holds_no_network_and_builds_one_when_asked(tiny_checkpoint_path):
    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cpu"))
    control = QualityControl(model)
    at_rest = control.run().reason

    with torch.no_grad():
        model.network.classifier[1].weight[0, 0] += 1e-7

    assert at_rest is None
    assert control.run().reason == "weights_changed"


def test_C9_a_missing_file_is_told_from_a_wrong_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "v1.pth", CHEST, ModelOptions())


def test_C2_one_flipped_byte_is_refused(tiny_checkpoint_path, tmp_path):
    source = tiny_checkpoint_path("chest-xray")
    payload = bytearray(source.read_bytes())
    payload[len(payload) // 2] ^= 1
    (tmp_path / "v1.pth").write_bytes(payload)
    (tmp_path / "SHA256SUMS").write_text((source.parent / "SHA256SUMS").read_text())

    with pytest.raises(BadCheckpoint, match="digest"):
        load_model(tmp_path / "v1.pth", CHEST, ModelOptions())


def test_C3_a_model_of_another_modality_is_refused(tiny_checkpoint_path):
    with pytest.raises(BadCheckpoint, match="skin-lesion"):
        load_model(tiny_checkpoint_path("chest-xray"), get_modality("skin-lesion"), ModelOptions())


def test_C3_missing_weights_are_refused(altered):
    path = altered(lambda checkpoint: replace(checkpoint, weights={}))

    with pytest.raises(BadCheckpoint, match="fit"):
        load_model(path, CHEST, ModelOptions())


def test_C4_swapped_classes_do_not_repeat_the_golden_logits(altered):
    path = altered(_swapped)

    with pytest.raises(BadCheckpoint, match="golden"):
        load_model(path, CHEST, ModelOptions())


def test_a_file_that_does_not_say_how_pictures_are_prepared_is_refused(altered):
    path = altered(lambda checkpoint: with_release(checkpoint, image=None))

    with pytest.raises(BadCheckpoint, match="prepared"):
        load_model(path, CHEST, ModelOptions())


def test_a_file_with_half_of_the_statistics_of_its_input_checks_is_refused(altered):
    path = altered(lambda checkpoint: replace(checkpoint, validity={"head.mean": torch.ones(3)}))

    with pytest.raises(BadCheckpoint, match="statistic"):
        load_model(path, CHEST, ModelOptions("torch", "cpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_that_is_asked_for_and_not_there_is_a_clear_refusal(tiny_checkpoint_path):
    with pytest.raises(BadCheckpoint, match="CUDA"):
        load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cuda"))


def test_a_logit_that_is_not_finite_never_holds(torch_model):
    rule = torch_model.checkpoint.release.decision

    parity = compare(torch.tensor([[float("nan"), 0.0]]), torch.zeros((1, 2)), rule, CHEST)

    assert not parity.holds()


def test_a_changed_answer_never_holds_however_small_the_difference(torch_model):
    rule = torch_model.checkpoint.release.decision

    parity = compare(torch.tensor([[1e-5, 0.0]]), torch.tensor([[0.0, 1e-5]]), rule, CHEST)

    assert parity.max_difference < 1e-4
    assert (parity.flips, parity.holds()) == (1, False)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("cases", [1, 3, 8, 300])
def test_cuda_answers_as_the_cpu_does_for_any_number_of_cases(tiny_checkpoint_path, cases):
    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cuda"))
    reference = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions("torch", "cpu"))
    batch = torch.randn(cases, 3, 64, 64)

    ours, theirs = model.backend.infer(batch).logits, reference.backend.infer(batch).logits

    parity = compare(ours, theirs, model.checkpoint.release.decision, CHEST)
    assert model.backend.device.startswith("cuda")
    assert parity.max_difference < 1e-2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_replayed_graph_keeps_nothing_of_the_batch_before(tiny_checkpoint_path):
    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cuda"))
    batch = torch.randn(4, 3, 64, 64)

    together = model.backend.infer(batch).logits
    model.backend.infer(torch.randn(3, 3, 64, 64))
    again = model.backend.infer(batch).logits

    assert torch.equal(together, again)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_S8_a_weight_changed_on_the_device_shows_in_a_captured_graph(tiny_checkpoint_path):
    model = load_model(tiny_checkpoint_path("chest-xray"), CHEST, ModelOptions(device="cuda"))
    batch = torch.randn(1, 3, 64, 64)
    before = model.backend.infer(batch).logits

    with torch.no_grad():
        model.network.classifier[1].bias += 1.0

    assert not torch.allclose(model.backend.infer(batch).logits, before, atol=0.5)


def test_the_torch_backend_returns_plain_tensors(torch_model):
    backend = TorchBackend(torch_model.network, "cpu")

    output = backend.infer(torch.zeros((2, 3, 64, 64)))

    assert output.logits.shape == (2, 2)
    assert output.penultimate.shape == (2, 1280)
    assert output.logits.dtype == torch.float32


def _swapped(checkpoint):
    weights = dict(checkpoint.weights)
    for name in ("classifier.1.weight", "classifier.1.bias"):
        weights[name] = weights[name].flip(0)
    weights["classifier.1.bias"] = weights["classifier.1.bias"] + torch.tensor([3.0, -3.0]).half()
    return replace(checkpoint, weights=weights)
