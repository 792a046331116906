"""Heart risk: probability of angiographic disease in referred patients (UCI heart disease).

Columns and codes are those of the UCI repository (Janosi, Steinbrunn, Pfisterer and Detrano
1988): chest pain 1 to 4, resting ECG 0 to 2, slope 1 to 3, thallium 3, 6 or 7. Disease means a
diameter narrowing above 50 % in a major vessel. The first seven columns are required.
"""

from contracts.modality import JSON, Column, Kind, Label, Limits, Modality, TableSpec, TriageRow

_ESC = (
    "2024 ESC Guidelines for the management of chronic coronary syndromes (Vrints et al., "
    "Eur Heart J 2024;45:3415–3537)"
)
_ACC = (
    "2021 AHA/ACC guideline for the evaluation and diagnosis of chest pain (Gulati et al., "
    "Circulation 2021;144:e368–e454)"
)

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
    "referred patients; not a screening or prognosis score. A low probability does not exclude "
    "coronary disease.",
    triage=(
        TriageRow(
            "no_disease",
            "low",
            "Decide on further tests with the referring doctor; a low probability does not "
            "exclude coronary disease.",
            "at the next appointment",
            _ESC,
        ),
        TriageRow(
            "disease",
            "moderate",
            "Have a cardiologist weigh the findings and decide on non-invasive tests.",
            "within weeks",
            _ESC,
        ),
        TriageRow(
            "disease",
            "high",
            "Have a cardiologist assess the person promptly; with chest pain at rest call the "
            "emergency services.",
            "within days",
            _ACC,
        ),
    ),
    critical=("disease",),
    limits=Limits(max_bytes=64 * 1024),
    table=TableSpec(
        (
            Column("age", "Age", "integer", unit="years", minimum=18, maximum=100),
            Column("sex", "Sex", "choice", choices=(("female", 0.0), ("male", 1.0))),
            Column(
                "blood_pressure",
                "Resting systolic blood pressure",
                "number",
                unit="mmHg",
                minimum=70,
                maximum=250,
            ),
            Column(
                "cholesterol",
                "Serum cholesterol",
                "number",
                unit="mg/dl",
                minimum=80,
                maximum=700,
            ),
            Column(
                "chest_pain",
                "Chest pain",
                "choice",
                choices=(
                    ("typical_angina", 1.0),
                    ("atypical_angina", 2.0),
                    ("non_anginal", 3.0),
                    ("asymptomatic", 4.0),
                ),
            ),
            Column(
                "max_heart_rate",
                "Highest heart rate in the exercise test",
                "number",
                unit="per minute",
                minimum=50,
                maximum=230,
            ),
            Column("exercise_angina", "Angina during exercise", "flag"),
            Column(
                "fasting_blood_sugar",
                "Fasting blood sugar above 120 mg/dl",
                "flag",
                required=False,
            ),
            Column(
                "resting_ecg",
                "Resting ECG",
                "choice",
                required=False,
                choices=(("normal", 0.0), ("st_t_abnormality", 1.0), ("lv_hypertrophy", 2.0)),
            ),
            Column(
                "st_depression",
                "ST depression in exercise against rest",
                "number",
                required=False,
                unit="mm",
                minimum=-5,
                maximum=10,
                description="Negative for an elevation.",
            ),
            Column(
                "st_slope",
                "Slope of the ST segment at peak exercise",
                "choice",
                required=False,
                choices=(("upsloping", 1.0), ("flat", 2.0), ("downsloping", 3.0)),
            ),
            Column(
                "vessels_coloured",
                "Major vessels coloured by fluoroscopy",
                "integer",
                required=False,
                unit="vessels",
                minimum=0,
                maximum=3,
            ),
            Column(
                "thallium",
                "Thallium scan",
                "choice",
                required=False,
                choices=(("normal", 3.0), ("fixed_defect", 6.0), ("reversible_defect", 7.0)),
            ),
        )
    ),
)
