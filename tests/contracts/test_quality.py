import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from contracts.modality import QualityLimits
from contracts.quality import fit_limits, judge_quality, measure


def picture(seed, *, side=128, colour=0.0):
    """A soft random texture with a little noise, like a film."""
    chance = np.random.default_rng(seed)
    soft = Image.fromarray(chance.integers(0, 256, (12, 12), dtype=np.uint8))
    grey = np.asarray(soft.resize((side, side), Image.Resampling.BICUBIC)).astype(float)
    grey = 128 + (grey - grey.mean()) * 0.8 + chance.normal(0, 3, grey.shape)
    channels = [grey * (1 + colour), grey, grey * (1 - colour)]
    return Image.fromarray(np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def limits():
    return fit_limits([measure(picture(seed), min_side=224) for seed in range(300)])


def codes(image, limits):
    reasons, _ = judge_quality(measure(image, min_side=224), limits)
    return {reason.code for reason in reasons}


def test_good_pictures_that_were_not_fitted_are_not_rejected(limits):
    rejected = [seed for seed in range(1000, 1400) if codes(picture(seed), limits)]

    assert len(rejected) <= 4


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda image: image.filter(ImageFilter.GaussianBlur(4)), "quality.blur"),
        (lambda image: image.point(lambda value: value // 5), "quality.brightness"),
        (lambda image: image.point(lambda value: 128 + (value - 128) // 20), "quality.contrast"),
        (lambda image: image.point(lambda value: 255 if value > 90 else value), "quality.bright"),
        (lambda image: Image.new("RGB", (128, 128), (90, 90, 90)), "quality.border"),
        (lambda image: picture(1, colour=0.9), "quality.saturation"),
        (lambda image: Image.effect_noise((128, 128), 120).convert("RGB"), "quality.blur"),
        (lambda image: Image.new("RGB", (128, 128)), "quality.dark"),
        (lambda image: Image.new("RGB", (128, 128), "white"), "quality.entropy"),
    ],
)
def test_I9_each_fault_is_noticed_by_its_own_rule(limits, spoil, code):
    assert code in codes(spoil(picture(5)), limits)


def test_a_picture_in_a_wide_frame_is_noticed(limits):
    framed = Image.new("RGB", (128, 128))
    framed.paste(picture(5).resize((64, 64)), (32, 32))

    assert "quality.border" in codes(framed, limits)


def test_measures_of_a_flat_picture_are_finite_and_plain():
    measures = measure(Image.new("RGB", (64, 64), (255, 255, 255)), min_side=50)

    assert measures["brightness"] == pytest.approx(1.0)
    assert measures["bright"] == pytest.approx(1.0)
    assert (measures["entropy"], measures["blur"], measures["contrast"]) == (0.0, 0.0, 0.0)
    assert (measures["border"], measures["min_side"]) == (1.0, 50.0)


def plain_measures(image):
    """The measures as their definitions say, a pixel or a line at a time in double precision."""
    rgb = np.asarray(image.convert("RGB")).astype(float)
    grey = np.asarray(image.convert("L")).astype(float)
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    shares = np.unique(grey, return_counts=True)[1] / grey.size
    kept = 1.0
    for lines in (grey, grey.T):
        busy = [index for index, line in enumerate(lines) if line.std() >= 2.0]
        kept *= (busy[-1] - busy[0] + 1) / len(lines) if busy else 0.0
    return {
        "min_side": 9.0,
        "blur": (4 * inner - around).var(),
        "brightness": grey.mean() / 255,
        "contrast": grey.std() / 255,
        "dark": (grey <= 10).mean(),
        "bright": (grey >= 245).mean(),
        "border": 1 - kept,
        "saturation": (rgb.max(axis=-1) - rgb.min(axis=-1)).mean() / 255,
        "entropy": -(shares * np.log2(shares)).sum(),
    }


def framed(image, box):
    """The picture in a black frame; `box` says where in 150 × 110 pixels."""
    frame = Image.new("RGB", (150, 110))
    frame.paste(image.resize((box[2] - box[0], box[3] - box[1])), box)
    return frame


@pytest.mark.parametrize(
    "image",
    [
        *(picture(seed, side=160) for seed in range(5)),
        *(picture(seed, colour=0.4) for seed in range(5)),
        framed(picture(6), (30, 20, 90, 100)),
        framed(picture(7, colour=0.2), (0, 5, 150, 6)),
        *(Image.new("RGB", (64, 48), (level,) * 3) for level in (0, 10, 11, 128, 244, 245, 255)),
    ],
)
def test_the_measures_are_what_their_definitions_say(image):
    found = measure(image, min_side=9)

    assert found == pytest.approx(plain_measures(image), rel=1e-6, abs=1e-12)
    assert all(type(value) is float for value in found.values())


def test_a_grey_picture_measures_as_its_copy_in_three_channels():
    for seed in range(5):
        grey = picture(seed).convert("L")
        assert measure(grey, min_side=9) == measure(grey.convert("RGB"), min_side=9)


def test_every_reason_says_what_to_do_and_holds_no_number(limits):
    for image in (Image.new("RGB", (64, 64)), Image.new("RGB", (64, 64), "white")):
        reasons, _ = judge_quality(measure(image, min_side=64), limits)
        assert reasons
        assert all(len(reason.message) > 30 for reason in reasons)
        assert not any(letter.isdigit() for reason in reasons for letter in reason.message)


def test_a_small_source_is_a_warning_and_no_rejection(limits):
    reasons, warnings = judge_quality(measure(picture(5), min_side=40), limits)

    assert "quality.min_side" in {warning.code for warning in warnings}
    assert not reasons


def test_a_measure_gives_a_reason_or_a_warning_but_never_both():
    limits = QualityLimits(warn={"contrast": (0.9, None)}, reject={"contrast": (0.8, None)})

    reasons, warnings = judge_quality({"contrast": 0.5}, limits)

    assert ([r.code for r in reasons], warnings) == (["quality.contrast"], [])


def test_without_limits_nothing_is_judged():
    assert judge_quality(measure(picture(1), min_side=1), QualityLimits()) == ([], [])


def test_too_few_cases_give_no_limits():
    with pytest.raises(ValueError, match="50"):
        fit_limits([measure(picture(1), min_side=64)] * 49)


def test_limits_are_plain_numbers_that_travel_in_a_model_file(limits):
    for bounds in (limits.warn, limits.reject):
        for pair in bounds.values():
            assert all(value is None or type(value) is float for value in pair)


@given(st.floats(-1e6, 1e6), st.floats(0, 100), st.floats(0, 100))
def test_widening_the_limits_never_adds_a_reason(value, low, high):
    narrow = QualityLimits(reject={"blur": (-low, high)})
    wide = QualityLimits(reject={"blur": (-low - 1, high + 1)})

    assert len(judge_quality({"blur": value}, wide)[0]) <= len(
        judge_quality({"blur": value}, narrow)[0]
    )
