"""12-lead ECG: the five PTB-XL superclasses as independent labels (Wagner et al. 2020)."""

from contracts.modality import (
    JPEG,
    PNG,
    WFDB_ZIP,
    ImageSpec,
    Kind,
    Label,
    Modality,
    RenderSpec,
)

ECG = Modality(
    id="ecg",
    title="12-lead ECG",
    kind=Kind.ECG,
    activation="sigmoid",
    labels=(
        Label("NORM", "Normal", "normal"),
        Label("MI", "Myocardial infarction", "abnormal"),
        Label("STTC", "ST/T change", "abnormal"),
        Label("CD", "Conduction disturbance", "abnormal"),
        Label("HYP", "Hypertrophy", "abnormal"),
    ),
    media_types=(WFDB_ZIP, JPEG, PNG),
    indication="Resting 12-lead ECG of 10 seconds, as a WFDB record or a page image.",
    notice="Research and education only, not a diagnosis. Trained on a small part of PTB-XL. "
    "A negative answer does not exclude disease.",
    triage=(),
    critical=("MI",),
    max_files=2,
    image=ImageSpec(width=448, height=256, base_width=448, base_height=256, fit="squash"),
    render=RenderSpec(),
)
