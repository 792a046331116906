"""TrainConfig: every number of one training run, from a preset and `--set key=value`.

One YAML per modality under `training/presets/`; unknown keys and contradictions are refused at
start, because a silently ignored setting would make the recorded recipe a lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

PRESETS = Path(__file__).parent / "presets"


class BadConfig(ValueError):
    """A setting is unknown, has a wrong type or contradicts another one."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Random changes of a training image; 0 or False switches one off.

    Angles in degrees; `scale` and `aspect` are the half-widths of log-uniform factors;
    `translate` is a share of the side; probabilities are per image.
    """

    rotate: float = 0.0
    scale: float = 0.0
    aspect: float = 0.0
    translate: float = 0.0
    shear: float = 0.0
    perspective: float = 0.0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: bool = False
    elastic: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    saturation: float = 0.0
    blur: float = 0.0
    coarse: float = 0.0
    noise: float = 0.0
    speckle: float = 0.0
    erase: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. Sizes in pixels, rates per optimiser step, decays in 0–1."""

    arch: str = "efficientnet_b0"
    width: int = 224
    height: int = 224
    seeds: tuple[int, ...] = (0,)
    average_seeds: bool = True
    average_start: bool = False
    head_epochs: int = 20
    epochs: int = 6
    batch_size: int = 32
    accumulation: int = 1
    head_lr: float = 2e-3
    lr: float = 3e-4
    layer_decay: float = 1.0
    weight_decay: float = 0.05
    schedule: Literal["cosine", "onecycle"] = "cosine"
    warmup: float = 0.05
    freeze: Literal["none", "partial", "all"] = "none"
    freeze_batchnorm: bool = False
    imbalance: Literal["none", "sampler", "class_weights", "focal", "logit_adjustment"] = "none"
    imbalance_power: float = 0.5
    focal_gamma: float = 2.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    consistency: float = 0.0
    dropout: float = 0.3
    drop_path: float = 0.2
    ema: float = 0.99
    clip: float = 1.0
    patience: int = 5
    amp: Literal["auto", "bf16", "fp16", "off"] = "auto"
    gradient_checkpointing: bool = False
    deterministic: bool = True
    select_by: Literal["auroc", "nll", "balanced_accuracy"] = "auroc"
    variants: int = 1
    balanced_decision: bool = False
    minimum_sensitivity: float = 0.0
    accept: float = 0.92
    coverage: float = 0.9
    tta: tuple[str, ...] = ()
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Refuse contradictions at construction."""
        if self.epochs < 0 or self.batch_size < 1 or self.accumulation < 1 or not self.seeds:
            raise BadConfig("epochs, batch_size, accumulation and seeds must be positive")
        if self.mixup and self.cutmix:
            raise BadConfig("mixup and cutmix exclude each other")
        if not 0 <= self.ema < 1:
            raise BadConfig("ema must be at least 0 and below 1")
        if not (0 < self.accept <= 1 and 0 < self.coverage < 1):
            raise BadConfig("accept and coverage are shares of the cases")
        if self.label_smoothing and self.imbalance == "focal":
            raise BadConfig("label_smoothing and focal loss exclude each other")
        if self.consistency and not (self.augment.noise or self.augment.speckle):
            raise BadConfig("consistency needs augment.noise or augment.speckle")
        if self.tta:
            _check_views(self.tta)

    def digest(self) -> str:
        """Return the SHA-256 of the recipe in canonical JSON."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def load_config(
    modality_id: str, *, file: Path | None = None, overrides: Sequence[str] = ()
) -> TrainConfig:
    """Read the modality's preset (or `file`), then apply `key=value` overrides in order.

    `augment.rotate=10` reaches into the augmentation. Raises BadConfig.
    """
    return config_from_plain(read_plain(modality_id, file, overrides))


def read_plain(modality_id: str, file: Path | None, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the unchecked settings of a preset or file with `key=value` overrides applied."""
    import yaml

    path = file or PRESETS / f"{modality_id.replace('-', '_')}.yaml"
    try:
        plain: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError as error:
        raise BadConfig(f"there is no preset file {path.name}") from error
    for override in overrides:
        key, separator, value = override.partition("=")
        if not separator:
            raise BadConfig("an override has the form key=value")
        *parents, last = key.strip().split(".")
        target = plain
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise BadConfig(f"{parent} has no settings of its own")
        target[last] = yaml.safe_load(value)
    return plain


def config_from_plain(plain: dict[str, Any]) -> TrainConfig:
    """Build a TrainConfig from nested dicts; raise BadConfig for unknown keys or wrong types."""
    augment = build_checked(AugmentConfig, plain.get("augment", {}))
    return build_checked(TrainConfig, {**plain, "augment": augment})


def config_from_record(plain: dict[str, Any]) -> TrainConfig:
    """Read the recipe of a finished run, without settings that this version no longer has."""
    augment = _known(AugmentConfig, plain.get("augment", {}))
    return config_from_plain({**_known(TrainConfig, plain), "augment": augment})


def config_to_plain(config: TrainConfig) -> dict[str, Any]:
    """Return the config as plain values that `config_from_plain` reads."""
    return json.loads(json.dumps(asdict(config)))  # type: ignore[no-any-return]


def _known(kind: type, plain: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a config dataclass has."""
    names = {item.name for item in fields(kind)}
    return {name: value for name, value in plain.items() if name in names}


def build_checked(kind: type[T], plain: dict[str, Any]) -> T:
    """Construct a config dataclass; raise BadConfig for unknown keys, types and choices."""
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(plain) - set(known)):
        raise BadConfig(f"unknown settings: {', '.join(unknown)}")
    default, hints = kind(), get_type_hints(kind)
    values = {name: _coerce(name, value, getattr(default, name)) for name, value in plain.items()}
    return kind(**{name: _checked(name, value, hints[name]) for name, value in values.items()})


def _coerce(name: str, value: object, default: object) -> object:
    """Accept an int for a float and a list for a tuple; refuse anything else of another type."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, str) and value is False:
        return "off" if name == "amp" else "none"
    if type(value) is not type(default) and not is_dataclass(value):
        kind = "list" if isinstance(default, tuple) else type(default).__name__
        raise BadConfig(f"{name} takes a value of type {kind}")
    return value


def _checked(name: str, value: object, hint: object) -> object:
    """Return the value if it is one of the choices of its type; members of a list one by one."""
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise BadConfig(f"{name} is one of {', '.join(get_args(hint))}, not {value!r}")
    if isinstance(value, tuple):
        example = get_args(hint)[0]()
        return tuple(_coerce(f"each value of {name}", member, example) for member in value)
    return value


def _check_views(names: Sequence[str]) -> None:
    """Refuse a view that no code knows; torch loads only for a recipe that names views."""
    from contracts.views import VIEWS

    if unknown := sorted(set(names) - set(VIEWS)):
        raise BadConfig(f"tta is a list of {', '.join(VIEWS)}, not of {', '.join(unknown)}")
