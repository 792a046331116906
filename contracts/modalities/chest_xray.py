"""Chest X-ray: pneumonia on paediatric antero-posterior films (Kermany et al. 2018)."""

from contracts.modality import JPEG, PNG, ImageSpec, Kind, Label, Modality, TriageRow

TRIAGE = (
    TriageRow(
        "NORMAL",
        "low",
        "Have the film read together with the findings at the bedside. A clear film does not "
        "exclude pneumonia: early disease may not show yet.",
        "routine reading; sooner if the child is unwell",
        "British Thoracic Society guidelines for community acquired pneumonia in children, "
        "update 2011 (Harris et al., Thorax 2011;66:ii1–ii23)",
    ),
    TriageRow(
        "PNEUMONIA",
        "high",
        "Have the child assessed by a clinician: breathing rate, chest indrawing, oxygen "
        "saturation, ability to drink. A general danger sign or low saturation needs hospital"
        " referral at once.",
        "same day; at once with a danger sign",
        "WHO, Revised WHO classification and treatment of childhood pneumonia at health "
        "facilities: evidence summaries (2014)",
    ),
)

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
    triage=TRIAGE,
    critical=("PNEUMONIA",),
    image=ImageSpec(fit="squash"),
)
