"""Symptoms to disease: a ranked differential over a closed vocabulary (synthetic data)."""

from contracts.modality import JSON, Kind, Label, Limits, Modality

SYMPTOMS = Modality(
    id="symptoms",
    title="Symptoms",
    kind=Kind.TABLE,
    activation="softmax",
    labels=(Label("fungal_infection", "Fungal infection"),),
    media_types=(JSON,),
    indication="A list of symptoms of one person.",
    notice="Research and education only, not a diagnosis. Trained on synthetic data.",
    triage=(),
    limits=Limits(max_bytes=64 * 1024),
)
