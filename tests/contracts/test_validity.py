"""The input checks in numpy against their plain definition in torch, operation by operation."""

from pathlib import Path

import pytest
import torch

from contracts.checkpoint import build_from, read_checkpoint
from contracts.network import Output, forward_features
from contracts.validity import ValidityCheck, validity_of

FILES = sorted((Path(__file__).parents[2] / "models").glob("*/v*.pth"))


def plain_shares(output, tensors):
    """The modality head's probabilities; that of an older file reads the last layer alone."""
    features = output.penultimate
    if "head.limit" in tensors:
        features = torch.cat([output.middle, features], 1)
    scaled = (features - tensors["head.mean"]) / tensors["head.scale"]
    limit = float(tensors.get("head.limit", torch.inf))
    logits = scaled.clamp(-limit, limit) @ tensors["head.weight"].T + tensors["head.bias"]
    return logits.softmax(1)


def plain_distances(output, tensors):
    """Mahalanobis and residual of each layer, over their 99 % points."""
    columns = []
    for layer in ("middle", "penultimate"):
        centred = (getattr(output, layer) - tensors[f"{layer}.mean"]) / tensors[f"{layer}.scale"]
        inside = centred @ tensors[f"{layer}.basis"].float().T
        columns.append((inside.square() / tensors[f"{layer}.variance"]).sum(1).sqrt())
        residual = centred.square().sum(1) - inside.square().sum(1)
        columns.append(residual.clamp_min(0).sqrt())
    return torch.stack(columns, 1) / tensors["distance.scale"]


def plain_codes(share, distance, numbers, own):
    """Codes of the reasons that end the answer, and of those that make it abstain."""
    kinds = numbers["kinds"]
    if share[kinds.index(own)] < numbers["own_minimum"]:
        foreign = kinds[int(share.argmax())] not in ("other", own)
        return (["wrong_modality" if foreign else "out_of_distribution"], [])
    if distance > numbers["reject_distance"]:
        return (["out_of_distribution"], [])
    return ([], ["unusual_input"] if distance > numbers["doubt_distance"] else [])


def golden_features(checkpoint):
    """What the network makes of its own golden cases."""
    with torch.inference_mode():
        spec = checkpoint.release.image
        mean, std = torch.tensor(spec.mean)[:, None, None], torch.tensor(spec.std)[:, None, None]
        batch = (checkpoint.golden_input.float() / 255 - mean) / std
        return forward_features(build_from(checkpoint), batch)


def random_features(tensors):
    """Features from the middle of the training part to far beyond its edge."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.logspace(-1, 3, 40)[:, None]
    layers = [
        tensors[f"{layer}.mean"]
        + spread * tensors[f"{layer}.scale"] * torch.randn(40, width, generator=generator)
        for layer, width in (("middle", 112), ("penultimate", 1280))
    ]
    return Output(torch.zeros(40, 2), *layers)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_shares_distances_and_reasons_are_those_of_the_definition(path):
    checkpoint = read_checkpoint(path)
    tensors, release = checkpoint.validity, checkpoint.release
    check = validity_of(release, tensors)

    for output in (golden_features(checkpoint), random_features(tensors)):
        shares, distances = plain_shares(output, tensors), plain_distances(output, tensors)
        for row, (share, distance) in enumerate(zip(shares, distances.amax(1), strict=True)):
            one = Output(*(getattr(output, name)[row : row + 1] for name in Output.__slots__))
            found = check.assess(one)
            assert list(found.probabilities.values()) == pytest.approx(
                share.tolist(), rel=1e-5, abs=1e-9
            )
            assert found.distance == pytest.approx(float(distance), rel=1e-5)
            codes = [reason.code for reason in found.rejections], [r.code for r in found.doubts]
            assert codes == plain_codes(share, distance, release.validity, release.modality)
            assert check.assess(one) == found, "the same bits every time"


def test_a_head_of_an_older_file_reads_the_last_layer_without_a_bound():
    checkpoint = read_checkpoint(FILES[0])
    older = {name: value for name, value in checkpoint.validity.items() if name != "head.limit"}
    for name in ("head.mean", "head.scale", "head.weight"):
        older[name] = older[name][..., 112:]
    check = ValidityCheck.of(older, checkpoint.release.validity, checkpoint.release.modality)
    output = random_features(older)

    found = torch.from_numpy(check.statistics.recognise(output)[:20])

    expected = plain_shares(output, older)[:20]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)


def test_a_file_without_statistics_has_no_checks():
    release = read_checkpoint(FILES[0]).release

    assert validity_of(release, {}) is None
