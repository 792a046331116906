"""Chest X-ray: pneumonia on paediatric antero-posterior films (Kermany et al. 2018)."""

from contracts.modality import JPEG, PNG, ImageSpec, Kind, Label, Modality

CHEST_XRAY = Modality(
    id="chest-xray",
    title="Chest X-ray",
    kind=Kind.IMAGE,
    activation="softmax",
    labels=(
        Label("NORMAL", "Normal"),
        Label("PNEUMONIA", "Pneumonia", "abnormal"),
    ),
    media_types=(JPEG, PNG),
    indication="Paediatric antero-posterior chest films, ages 1 to 5.",
    notice="Research and education only, not a diagnosis. Trained on films of children aged "
    "1 to 5 from one hospital; not for adults. A negative answer does not exclude pneumonia.",
    triage=(),
    critical=("PNEUMONIA",),
    image=ImageSpec(fit="squash"),
)
