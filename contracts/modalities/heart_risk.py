"""Heart risk: probability of angiographic disease in referred patients (UCI heart disease)."""

from contracts.modality import JSON, Kind, Label, Limits, Modality

HEART_RISK = Modality(
    id="heart-risk",
    title="Heart risk factors",
    kind=Kind.TABLE,
    activation="softmax",
    labels=(
        Label("no_disease", "No angiographic disease"),
        Label("disease", "Angiographic disease"),
    ),
    media_types=(JSON,),
    indication="Adults referred for coronary angiography.",
    notice="Research and education only, not a diagnosis. Probability of angiographic disease in "
    "referred patients; not a screening or prognosis score.",
    triage=(),
    critical=("disease",),
    limits=Limits(max_bytes=64 * 1024),
)
