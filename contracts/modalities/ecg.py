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
    TriageRow,
)

TRIAGE = (
    TriageRow(
        "NORM",
        "low",
        "Have the ECG read together with the symptoms. A normal resting ECG does not exclude "
        "heart disease; with chest pain repeat it.",
        "routine reading; at once with chest pain, breathlessness or fainting",
        "2023 ESC Guidelines for the management of acute coronary syndromes (Byrne et al., "
        "Eur Heart J 2023;44:3720–3826)",
    ),
    TriageRow(
        "MI",
        "urgent",
        "Have the ECG read by a clinician at once and compared with earlier ones; with chest "
        "pain or breathlessness follow the local pathway for acute coronary syndrome.",
        "within ten minutes",
        "2023 ESC Guidelines for the management of acute coronary syndromes (Byrne et al., "
        "Eur Heart J 2023;44:3720–3826)",
    ),
    TriageRow(
        "STTC",
        "high",
        "Have the ECG read by a clinician and compared with earlier ones, with symptoms, "
        "medicines and electrolytes in mind.",
        "same day; at once with chest pain, breathlessness or fainting",
        "2023 ESC Guidelines for the management of acute coronary syndromes (Byrne et al., "
        "Eur Heart J 2023;44:3720–3826)",
    ),
    TriageRow(
        "CD",
        "moderate",
        "Have the ECG read by a clinician and compared with earlier ones.",
        "within days; same day with fainting, dizziness or breathlessness",
        "2018 ACC/AHA/HRS guideline on bradycardia and cardiac conduction delay (Kusumoto et "
        "al., Circulation 2019;140:e382–e482)",
    ),
    TriageRow(
        "HYP",
        "moderate",
        "Have the ECG read by a clinician together with the blood pressure; whether to look "
        "further with ultrasound is the clinician’s decision.",
        "within weeks; sooner with symptoms",
        "2024 ESC Guidelines for elevated blood pressure and hypertension (McEvoy et al., Eur"
        " Heart J 2024;45:3912–4018)",
    ),
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
    triage=TRIAGE,
    critical=("MI",),
    max_files=2,
    image=ImageSpec(width=448, height=256, base_width=448, base_height=256, fit="squash"),
    render=RenderSpec(),
)
