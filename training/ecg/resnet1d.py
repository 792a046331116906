"""A small 1-D residual network on the twelve leads: the yardstick of the ECG pages, never shipped.

Trained on random windows of 2.5 s of the millivolts (Wang et al. 2017 showed the design; Mehari
and Strodthoff 2022 found no gain from windows over 3 s), answered with the mean of seven.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

WINDOW = 250
_STEP = 125
_BATCH = 32
_PEAK_RATE, _WEIGHT_DECAY = 5e-3, 1e-2


class _Block(nn.Module):
    """Two convolutions around a shortcut, at half the rate of the input."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv1d(inside, outside, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm1d(outside),
            nn.ReLU(),
            nn.Conv1d(outside, outside, 5, padding=2, bias=False),
            nn.BatchNorm1d(outside),
        )
        self.shortcut = nn.Sequential(
            nn.Conv1d(inside, outside, 1, stride=2, bias=False), nn.BatchNorm1d(outside)
        )

    def forward(self, signals: Tensor) -> Tensor:
        """Return `[B, outside, ceil(T / 2)]`."""
        return F.relu(self.path(signals) + self.shortcut(signals))


class SignalNet(nn.Module):
    """Logits `[B, outputs]` from millivolts `[B, 12, T]` at 100 Hz."""

    def __init__(self, outputs: int) -> None:
        """Mean and maximum over time are joined before the last layer."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(12, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            _Block(64, 64),
            _Block(64, 96),
            _Block(96, 128),
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(256, outputs))

    def forward(self, signals: Tensor) -> Tensor:
        """Return the logits of one window each."""
        features = self.body(signals)
        pooled = torch.cat((features.mean(dim=2), features.amax(dim=2)), dim=1)
        logits: Tensor = self.head(pooled)
        return logits


def fit_signal_net(signals: Tensor, targets: Tensor, *, seed: int, epochs: int = 40) -> SignalNet:
    """Fit the network to millivolts `[N, 12, T]` and binary targets `[N, K]` on the CPU."""
    torch.manual_seed(seed)
    generator = Generator().manual_seed(seed)
    network = SignalNet(targets.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=_WEIGHT_DECAY)
    steps = max(1, len(signals) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=_PEAK_RATE, total_steps=epochs * steps
    )
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(signals), generator=generator)
        for step in range(steps):
            chosen = order[step * _BATCH : (step + 1) * _BATCH]
            logits = network(_random_windows(signals[chosen], generator))
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(logits, targets[chosen])
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return network.eval()


def score_signals(network: SignalNet, signals: Tensor) -> Tensor:
    """Return probabilities `[N, K]`: the mean over windows that overlap by half."""
    starts = range(0, signals.shape[2] - WINDOW + 1, _STEP)
    with torch.inference_mode():
        windows = [network(signals[:, :, start : start + WINDOW]).sigmoid() for start in starts]
    return torch.stack(windows).mean(dim=0)


def _random_windows(signals: Tensor, generator: Generator) -> Tensor:
    """A window per record with random gain, wander, noise and now and then a lead left out."""
    count, leads, length = signals.shape
    starts = torch.randint(length - WINDOW + 1, (count,), generator=generator)
    rows = [signals[row, :, start : start + WINDOW] for row, start in enumerate(starts.tolist())]
    windows = torch.stack(rows)
    gain = torch.exp((torch.rand((count, 1, 1), generator=generator) - 0.5) * 0.2)
    phase = torch.rand((count, leads, 1), generator=generator) * 2 * torch.pi
    wander = torch.sin(torch.linspace(0, torch.pi, WINDOW) + phase)
    size = torch.rand((count, leads, 1), generator=generator) * 0.1
    noise = torch.randn(windows.shape, generator=generator) * 0.02
    kept = (torch.rand((count, leads, 1), generator=generator) >= 0.05).float()
    return (windows * gain + wander * size + noise) * kept
