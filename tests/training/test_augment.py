"""Augmentation: geometry, intensity, determinism."""

from __future__ import annotations

import pytest
import torch

from training.augment import augment_batch
from training.config import AugmentConfig, load_config


def images(count=4, side=64):
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)


def augment(batch, seed=0, size=(64, 64), **settings):
    generator = torch.Generator().manual_seed(seed)
    return augment_batch(batch, AugmentConfig(**settings), size, generator)


def test_without_settings_an_image_is_only_scaled_to_one():
    batch = images()

    assert torch.equal(augment(batch), batch.float() / 255)


def test_the_same_generator_gives_the_same_images():
    batch, recipe = images(), load_config("skin-lesion").augment
    first, second = (
        augment_batch(batch, recipe, (48, 48), torch.Generator().manual_seed(7)) for _ in range(2)
    )

    assert torch.equal(first, second)


@pytest.mark.parametrize("modality_id", ["chest-xray", "skin-lesion", "breast-ultrasound", "ecg"])
def test_every_recipe_gives_finite_images_in_range_at_the_asked_size(modality_id):
    recipe = load_config(modality_id).augment

    result = augment_batch(images(8), recipe, (40, 56), torch.Generator().manual_seed(1))

    assert result.shape == (8, 3, 40, 56)
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_a_flip_gives_the_mirror_image_or_the_image():
    batch = images(16)
    original = batch.float() / 255
    result = augment(batch, flip_horizontal=True)

    mirrored = [
        torch.allclose(r, o.flip(-1), atol=1e-4) for r, o in zip(result, original, strict=True)
    ]
    kept = [torch.allclose(r, o, atol=1e-4) for r, o in zip(result, original, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert any(mirrored) and any(kept)


def test_quarter_turns_of_a_square_image_lose_no_pixel():
    batch = images(16)
    original = batch.float() / 255
    result = augment(batch, quarter_turns=True, flip_vertical=True)

    for got, source in zip(result, original, strict=True):
        turns = [
            torch.rot90(flipped, k, (1, 2))
            for k in range(4)
            for flipped in (source, source.flip(1))
        ]
        assert any(torch.allclose(got, turned, atol=1e-3) for turned in turns)


def test_a_rotation_keeps_a_centred_disc_where_it_is():
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    disc = (((y - 31.5) ** 2 + (x - 31.5) ** 2) < 200).to(torch.uint8) * 255
    batch = disc.expand(4, 3, 64, 64).contiguous()

    result = augment(batch, rotate=90)

    assert float((result - batch.float() / 255).abs().mean()) < 0.02


def test_erasing_fills_one_rectangle_with_the_mean():
    batch = images(4)
    result = augment(batch, erase=1.0)

    changed = (result != batch.float() / 255).all(dim=1)
    assert all(0.005 < float(mask.float().mean()) < 0.1 for mask in changed)
