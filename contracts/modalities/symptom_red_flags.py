"""Combinations of symptoms that call for help before any ranking; one source per rule.

A rule fires when all of `all_of` and, where stated, at least one of `any_of` are there.
"""

from contracts.modality import RedFlag, TriageRow

_EMERGENCY = "Call the emergency services or go to an emergency department."


def _rule(
    code: str, sign_of: str, source: str, *, all_of: tuple[str, ...], any_of: tuple[str, ...] = ()
) -> RedFlag:
    """Return a rule whose next step is emergency care at once."""
    return RedFlag(
        code=code,
        all_of=all_of,
        any_of=any_of,
        message=f"These symptoms together can be a sign of {sign_of}. Get emergency help now.",
        triage=TriageRow(code, "urgent", _EMERGENCY, "now", source),
    )


SYMPTOM_RED_FLAGS = (
    _rule(
        "acute_coronary_syndrome",
        "a heart attack or another acute disease of heart or lungs",
        "NICE CG95, Recent-onset chest pain of suspected cardiac origin (2010)",
        all_of=("chest_pain",),
        any_of=("breathlessness", "sweating", "vomiting", "nausea", "dizziness", "palpitations"),
    ),
    _rule(
        "pulmonary_embolism",
        "a blood clot in the lungs",
        "NICE NG158, Venous thromboembolic diseases (2020)",
        all_of=("breathlessness",),
        any_of=("swollen_legs", "blood_in_sputum"),
    ),
    _rule(
        "stroke",
        "a stroke",
        "NICE NG128, Stroke and transient ischaemic attack in over 16s (2019)",
        all_of=("weakness_of_one_body_side",),
    ),
    _rule(
        "stroke_speech",
        "a stroke or severely low blood sugar",
        "NICE NG128, Stroke and transient ischaemic attack in over 16s (2019)",
        all_of=("slurred_speech",),
    ),
    _rule(
        "coma",
        "a life-threatening condition",
        "NHS website (nhs.uk), When to call 999",
        all_of=("coma",),
    ),
    _rule(
        "altered_consciousness",
        "a life-threatening condition",
        "NHS website (nhs.uk), Sudden confusion (delirium)",
        all_of=("altered_sensorium",),
    ),
    _rule(
        "meningitis",
        "meningitis",
        "NICE NG240, Meningitis (bacterial) and meningococcal disease (2024)",
        all_of=("stiff_neck",),
        any_of=("high_fever", "mild_fever"),
    ),
    _rule(
        "gastrointestinal_bleeding",
        "bleeding in the stomach",
        "NICE CG141, Acute upper gastrointestinal bleeding in over 16s (2012)",
        all_of=("stomach_bleeding",),
    ),
    _rule(
        "liver_failure",
        "failure of the liver",
        "EASL guidelines, Acute (fulminant) liver failure (J Hepatol 2017;66:1047–1081)",
        all_of=("acute_liver_failure",),
    ),
    _rule(
        "severe_dehydration",
        "severe dehydration",
        "WHO, The treatment of diarrhoea: a manual for physicians, 4th revision (2005)",
        all_of=("sunken_eyes",),
        any_of=("lethargy", "dehydration"),
    ),
    _rule(
        "sepsis",
        "sepsis",
        "NHS website (nhs.uk), Symptoms of sepsis",
        all_of=("toxic_look",),
        any_of=("high_fever", "chills", "fast_heart_rate"),
    ),
)
