"""One optimiser step: mixed precision, accumulation, clipping, mixing and memory back-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint_sequential

from contracts.modality import ImageSpec
from training.augment import add_noise, augment_batch
from training.config import BadConfig, TrainConfig
from training.fit.optim import Loss
from training.fit.precision import autocast, precision_for
from training.fit.predict_batches import normalise_batch


class Stepper:
    """Turns one batch into one update; splits it when memory runs out, and remembers the split."""

    def __init__(
        self, network: nn.Module, config: TrainConfig, spec: ImageSpec, loss: Loss
    ) -> None:
        """`network` may be wrapped for several processes.

        Raises BadConfig when activations cannot be recomputed in this network, or two answers not
        compared: a setting that did nothing would make the recorded recipe a lie.
        """
        if config.gradient_checkpointing and not _has_stages(network):
            raise BadConfig("gradient_checkpointing needs a network of stages in one process")
        if config.consistency and hasattr(network, "module"):
            raise BadConfig("consistency needs one process")
        self.network, self.config, self.spec, self.loss = network, config, spec, loss
        self.device = next(network.parameters()).device
        self.dtype = precision_for(config, self.device)
        self.scaler = torch.amp.GradScaler(
            self.device.type, enabled=self.dtype is torch.float16 and self.device.type == "cuda"
        )
        self.chunks = config.accumulation

    def step(
        self,
        images: Tensor,
        targets: Tensor,
        optimizer: torch.optim.Optimizer,
        generator: Generator,
    ) -> float:
        """Return the batch's mean loss after one update.

        `images` is uint8 `[B, 3, H, W]`. On out-of-memory the batch is halved into chunks whose
        gradients add up to the same update; raises torch.OutOfMemoryError at one image.
        """
        views, targets = self._views(images, targets, generator)
        while True:
            optimizer.zero_grad(set_to_none=True)
            try:
                value = self._accumulate(views, targets)
                break
            except torch.OutOfMemoryError:
                if self.chunks >= len(targets):
                    raise
                self.chunks = min(2 * self.chunks, len(targets))
        self.scaler.unscale_(optimizer)
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        return value

    def _views(
        self, images: Tensor, targets: Tensor, generator: Generator
    ) -> tuple[list[Tensor], Tensor]:
        """Return what the network sees of a batch, and its targets.

        That is one batch of inputs, or with `consistency` two: without noise and with it.
        """
        config = self.config.augment
        quiet = replace(config, noise=0.0, speckle=0.0) if self.config.consistency else config
        batch = augment_batch(images, quiet, (self.config.height, self.config.width), generator)
        batch, targets = self._mix(batch, targets, generator)
        batches = [batch]
        if self.config.consistency:
            batches.append(add_noise(batch, config, generator).clamp(0, 1))
        return [normalise_batch(one, self.spec) for one in batches], targets

    def _accumulate(self, views: Sequence[Tensor], targets: Tensor) -> float:
        """Add up the gradients of the chunks, each weighted by its share of the batch."""
        total = 0.0
        parts = zip(*(view.chunk(self.chunks) for view in views), strict=True)
        for part, truth in zip(parts, targets.chunk(self.chunks), strict=True):
            value = self._loss(part, truth) * (len(truth) / len(targets))
            torch.autograd.backward(self.scaler.scale(value))
            total += float(value.detach())
        return total

    def _loss(self, views: Sequence[Tensor], truth: Tensor) -> Tensor:
        """The loss of the first view, and what the logits of the second differ from its own.

        Both passes drop the same units, so that the noise alone makes the difference. Zheng et
        al., Stability training, CVPR 2016.
        """
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices, enabled=len(views) > 1):
            first = self._logits(views[0])
        value = self.loss(first, truth)
        for view in views[1:]:
            value = value + self.config.consistency * F.mse_loss(self._logits(view), first)
        return value

    def _logits(self, inputs: Tensor) -> Tensor:
        """The network's answer, computed in the precision of the run, in float32."""
        with autocast(self.dtype, self.device):
            return self._forward(inputs).float()

    def _forward(self, inputs: Tensor) -> Tensor:
        """Forward pass, with activations recomputed in the backward pass when configured."""
        if not self.config.gradient_checkpointing:
            output: Tensor = self.network(inputs)
            return output
        maps = checkpoint_sequential(  # type: ignore[no-untyped-call]
            self.network.features, 3, inputs, use_reentrant=False
        )
        pooled = F.adaptive_avg_pool2d(maps, 1).flatten(1)
        output = self.network.classifier(pooled)  # type: ignore[operator]
        return output

    def _mix(self, batch: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) with soft targets."""
        alpha = self.config.mixup or self.config.cutmix
        if not alpha:
            return batch, targets
        if targets.ndim == 1:
            outputs = head_outputs(self.network)
            targets = F.one_hot(targets, outputs).float()
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        order = torch.randperm(len(batch), generator=generator).to(batch.device)
        if self.config.mixup:
            batch = share * batch + (1 - share) * batch[order]
        else:
            batch, share = _cut(batch, order, share, generator)
        return batch, share * targets + (1 - share) * targets[order]


def _has_stages(network: nn.Module) -> bool:
    """True for a network whose body is one sequence of stages (EfficientNet, MobileNet)."""
    return isinstance(getattr(network, "features", None), nn.Sequential)


def head_outputs(network: nn.Module) -> int:
    """Number of logits of a network, wrapped or not."""
    from contracts.network import head_of

    inner = network.module if hasattr(network, "module") else network
    return head_of(inner).out_features  # type: ignore[arg-type]


def _cut(batch: Tensor, order: Tensor, share: float, generator: Generator) -> tuple[Tensor, float]:
    """Paste one rectangle of the partner images; return the batch and the share that is left."""
    height, width = batch.shape[-2:]
    tall, wide = (int(side * (1 - share) ** 0.5) for side in (height, width))
    top = int(torch.randint(height - tall + 1, (1,), generator=generator))
    left = int(torch.randint(width - wide + 1, (1,), generator=generator))
    mixed = batch.clone()
    mixed[:, :, top : top + tall, left : left + wide] = batch[
        order, :, top : top + tall, left : left + wide
    ]
    return mixed, 1 - tall * wide / (height * width)
