"""Random image → image, for a whole batch on the device that trains.

Geometry is one resampling per batch (affine, perspective and elastic displacements in one grid);
intensity follows. Ends where `contracts.preprocessing` normalises: a float batch in 0–1 at the
network's input size. Every random number comes from the given generator.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as tv

from training.config import AugmentConfig


def augment_batch(
    images: Tensor, config: AugmentConfig, size: tuple[int, int], generator: Generator
) -> Tensor:
    """Return float `[B, 3, height, width]` in 0–1 from uint8 `[B, 3, H, W]`.

    `size` is (height, width). Geometry happens at the source resolution, then one antialiased
    resize, as in serving.
    """
    batch = images.float() / 255.0
    if _has_geometry(config):
        batch = F.grid_sample(
            batch,
            _grid(batch, config, generator),
            mode="bilinear",
            padding_mode="reflection",
            align_corners=False,
        )
    batch = resize(batch, size)
    batch = _intensity(batch, config, generator)
    batch = _sharpness(batch, config, generator)
    return _erase(add_noise(batch, config, generator), config, generator).clamp_(0, 1)


def resize(batch: Tensor, size: tuple[int, int]) -> Tensor:
    """Antialiased bilinear resize to (height, width), as in serving; a no-op at that size."""
    if batch.shape[-2:] == torch.Size(size):
        return batch
    resized: Tensor = tv.resize(batch, list(size), antialias=True)
    return resized


def _has_geometry(config: AugmentConfig) -> bool:
    """True when any geometric change is switched on."""
    return any(
        (
            config.rotate,
            config.scale,
            config.aspect,
            config.translate,
            config.shear,
            config.perspective,
            config.elastic,
            config.flip_horizontal,
            config.flip_vertical,
            config.quarter_turns,
        )
    )


def _uniform(count: int, half_width: float, generator: Generator, like: Tensor) -> Tensor:
    """Return `count` uniform numbers in ±half_width on the device of `like`."""
    numbers = torch.rand(count, generator=generator) * 2 - 1
    return (numbers * half_width).to(like.device)


def _chance(count: int, probability: float, generator: Generator, like: Tensor) -> Tensor:
    """Return a boolean per image, true with the given probability."""
    return (torch.rand(count, generator=generator) < probability).to(like.device)


def _grid(batch: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Return the sampling grid `[B, H, W, 2]` of one random geometry per image."""
    count, _, height, width = batch.shape
    angle = _uniform(count, math.radians(config.rotate), generator, batch)
    if config.quarter_turns:
        turns = torch.randint(4, (count,), generator=generator).to(batch.device)
        angle = angle + turns * (math.pi / 2)
    zoom = torch.exp(_uniform(count, config.scale, generator, batch))
    stretch = torch.exp(_uniform(count, config.aspect, generator, batch) / 2)
    shear = torch.tan(_uniform(count, math.radians(config.shear), generator, batch))
    sign_x = 1.0 - 2.0 * _chance(count, 0.5 * config.flip_horizontal, generator, batch)
    sign_y = 1.0 - 2.0 * _chance(count, 0.5 * config.flip_vertical, generator, batch)
    cos, sin = torch.cos(angle), torch.sin(angle)
    ratio = height / width
    across = torch.stack((sign_x * cos, -sign_y * sin * ratio + shear), 1) * stretch.view(-1, 1)
    down = torch.stack((sign_x * sin / ratio, sign_y * cos), 1) / stretch.view(-1, 1)
    matrix = torch.stack((across, down), 1) * zoom.view(-1, 1, 1)
    shift = torch.stack(
        [_uniform(count, 2 * config.translate, generator, batch) for _ in range(2)], 1
    )
    theta = torch.cat((matrix, shift.unsqueeze(-1)), 2)
    grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)
    return _warp(grid, config, generator)


def _warp(grid: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Add perspective and elastic displacements to a grid."""
    count, height, width, _ = grid.shape
    if config.perspective:
        tilt = torch.stack(
            [_uniform(count, config.perspective, generator, grid) for _ in range(2)], 1
        )
        depth = 1.0 + (grid * tilt.view(count, 1, 1, 2)).sum(-1, keepdim=True)
        grid = grid / depth.clamp_min(0.5)
    if config.elastic:
        coarse = (torch.rand((count, 2, 5, 5), generator=generator) * 2 - 1).to(grid.device)
        smooth = F.interpolate(
            coarse * config.elastic, (height, width), mode="bicubic", align_corners=True
        )
        grid = grid + smooth.permute(0, 2, 3, 1)
    return grid


def _intensity(batch: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Gamma, contrast about the image mean, brightness and saturation, each per image."""
    count = len(batch)

    def factor(half_width: float) -> Tensor:
        return torch.exp(_uniform(count, half_width, generator, batch)).view(-1, 1, 1, 1)

    if config.gamma:
        batch = batch.clamp(1e-4, 1).pow(factor(config.gamma))
    if config.contrast:
        mean = batch.mean(dim=(1, 2, 3), keepdim=True)
        batch = (batch - mean) * factor(config.contrast) + mean
    if config.brightness:
        batch = batch + _uniform(count, config.brightness, generator, batch).view(-1, 1, 1, 1)
    if config.saturation:
        grey = batch.mean(dim=1, keepdim=True)
        batch = (batch - grey) * factor(config.saturation) + grey
    return batch


def _sharpness(batch: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Blur some images; send others through a coarser grid and back, so sharpness is no cue."""
    height, width = batch.shape[-2:]
    if config.blur:
        chosen = _chance(len(batch), config.blur, generator, batch)
        if chosen.any():
            sigma = 0.4 + 1.4 * float(torch.rand(1, generator=generator))
            batch[chosen] = tv.gaussian_blur(batch[chosen], [7, 7], [sigma, sigma])
    if config.coarse:
        chosen = _chance(len(batch), config.coarse, generator, batch)
        if chosen.any():
            share = 0.5 + 0.4 * float(torch.rand(1, generator=generator))
            small = tv.resize(
                batch[chosen], [int(height * share), int(width * share)], antialias=True
            )
            batch[chosen] = tv.resize(small, [height, width], antialias=True)
    return batch


def add_noise(batch: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Additive Gaussian noise and multiplicative speckle of random strength per image."""
    for strength, multiplicative in ((config.noise, False), (config.speckle, True)):
        if not strength:
            continue
        amount = _uniform(len(batch), strength, generator, batch).abs().view(-1, 1, 1, 1)
        grain = torch.randn((len(batch), 1, *batch.shape[2:]), generator=generator)
        grain = grain.to(batch.device) * amount
        batch = batch * (1 + grain) if multiplicative else batch + grain
    return batch


def _erase(batch: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """Fill one random rectangle of some images with their mean."""
    if not config.erase:
        return batch
    height, width = batch.shape[-2:]
    for index in torch.nonzero(_chance(len(batch), config.erase, generator, batch)).flatten():
        share = 0.1 + 0.2 * torch.rand(2, generator=generator)
        tall, wide = int(height * share[0]), int(width * share[1])
        top = int(torch.randint(height - tall, (1,), generator=generator))
        left = int(torch.randint(width - wide, (1,), generator=generator))
        image = batch[index]
        image[:, top : top + tall, left : left + wide] = image.mean()
    return batch
