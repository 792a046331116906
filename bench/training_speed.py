"""`python -m bench.training_speed`: images per second of training, beside a plain loop.

The plain loop is what a tutorial shows: JPEG files, torchvision's transforms, a DataLoader with
one worker per core, the same network in contiguous float32, cross-entropy and AdamW. The pictures
are random cuts of the example film at the size of the training data.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from bench.film import FILM
from bench.machine import pin
from bench.parts import KEPT, Part, keep_part
from contracts.modality import ImageSpec
from contracts.network import build_network
from contracts.registry import get_modality
from training.augment import augment_batch
from training.config import TrainConfig, load_config
from training.dataset import ImageBank, load_bank
from training.distributed import choose_device
from training.fit.inputs import image_spec
from training.fit.memory import keep_freed_pages
from training.fit.predict_batches import normalise_batch
from training.loop import Task, fit

MODALITY = "chest-xray"


class Films(Dataset[tuple[torch.Tensor, int]]):
    """JPEG files with a label, as a tutorial reads them."""

    def __init__(self, paths: list[Path], spec: ImageSpec) -> None:
        """Opens nothing yet."""
        self._paths = paths
        self._transform = v2.Compose(
            [
                v2.RandomAffine(7, translate=(0.05, 0.05), scale=(0.85, 1.15)),
                v2.Resize((spec.height, spec.width)),
                v2.ColorJitter(brightness=0.15, contrast=0.3),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(list(spec.mean), list(spec.std)),
            ]
        )

    def __len__(self) -> int:
        """Number of files."""
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """One augmented input and its label."""
        with Image.open(self._paths[index]) as image:
            return self._transform(image.convert("RGB")), index % 2


def main() -> int:
    """Measure on a fixed number of cores and keep the table for the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.training_speed", description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    arguments = parser.parse_args()
    pin(arguments.cores)
    torch.set_num_threads(arguments.cores)
    keep_freed_pages()
    modality = get_modality(MODALITY)
    config = replace(load_config(MODALITY), epochs=1)
    device = choose_device(arguments.device, 0)
    with tempfile.TemporaryDirectory(prefix="mediflow-bench-") as name:
        paths = cuts(arguments.images, Path(name))
        spec = image_spec(modality, config)
        plain = plain_loop(paths, spec, config, device, workers=arguments.cores)
        began = time.perf_counter()
        bank = load_bank(
            len(paths),
            lambda index, _variant: Image.open(paths[index]).convert("RGB"),
            torch.arange(len(paths)) % 2,
            spec,
        )
        decoding = len(paths) / (time.perf_counter() - began)
        inputs = input_speed(bank, config, spec, device)
        ours = our_loop(bank, config, spec, device, Path(name) / "run")
    rows = (
        ("plain loop", f"{plain:.1f}", ""),
        ("MediFlow, one epoch", f"{ours:.1f}", f"{ours / plain:.2f} ×"),
        ("its input alone: pick, augment, normalise", f"{inputs:.1f}", ""),
        ("decoding into memory, once per run", f"{decoding:.1f}", ""),
    )
    for row in rows:
        print(*row)
    keep_part(_part(rows, config, device, arguments.cores), KEPT, "3-training")
    return 0


def cuts(count: int, folder: Path) -> list[Path]:
    """Write random cuts of the film as JPEG files of 224 pixels."""
    chance, paths = random.Random(0), []
    with Image.open(FILM) as film:
        for number in range(count):
            left, top = chance.randrange(film.width - 900), chance.randrange(film.height - 900)
            cut = film.crop((left, top, left + 900, top + 900)).resize((224, 224))
            paths.append(folder / f"{number}.jpeg")
            cut.save(paths[-1], quality=90)
    return paths


def plain_loop(
    paths: list[Path], spec: ImageSpec, config: TrainConfig, device: torch.device, *, workers: int
) -> float:
    """Return images per second of a plain loop over all files, once."""
    network = build_network(config.arch, 2).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.lr)
    loader = DataLoader(
        Films(paths, spec), batch_size=config.batch_size, shuffle=True, num_workers=workers
    )
    began = time.perf_counter()
    for images, labels in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images.to(device)), labels.to(device))
        torch.autograd.backward(loss)
        optimizer.step()
    return len(paths) / (time.perf_counter() - began)


def our_loop(
    bank: ImageBank, config: TrainConfig, spec: ImageSpec, device: torch.device, folder: Path
) -> float:
    """Return images per second of one epoch of the training loop, as it says itself."""
    task = Task(
        config=config,
        spec=spec,
        outputs=2,
        train=bank,
        val=ImageBank(bank.images[:32], bank.targets[:32]),
        init=None,
        device=device,
        run_dir=folder,
        seed=0,
    )
    return fit(task).history[-1]["images_per_second"]


def input_speed(
    bank: ImageBank, config: TrainConfig, spec: ImageSpec, device: torch.device
) -> float:
    """Return images per second of everything that happens before the network."""
    generator = torch.Generator().manual_seed(0)
    began = time.perf_counter()
    for indices in torch.split(torch.arange(len(bank)), config.batch_size):
        images = bank.pick(indices, generator).to(device)
        size = (config.height, config.width)
        normalise_batch(augment_batch(images, config.augment, size, generator), spec)
    return len(bank) / (time.perf_counter() - began)


def _part(
    rows: tuple[tuple[str, ...], ...], config: TrainConfig, device: torch.device, cores: int
) -> Part:
    where = f"{cores} cores of the CPU" if device.type == "cpu" else torch.cuda.get_device_name()
    skipped = "" if torch.cuda.is_available() else " CUDA was skipped: this machine has none."
    return Part(
        title="Training",
        text=f"Images per second on {where}: {config.arch}, {config.width} × {config.height} "
        f"pixels, batches of {config.batch_size}, the recipe of the chest model.{skipped}",
        columns=("", "images per second", "ratio"),
        rows=tuple((name, speed, ratio) for name, speed, ratio in rows),
        command="python -m bench.training_speed",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    sys.exit(main())
