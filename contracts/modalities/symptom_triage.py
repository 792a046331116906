"""Who should see a person with one of the 41 diseases, and how soon; one source per row.

Four steps of urgency, never a treatment and never a reassurance. The sources say how urgently
the disease is to be assessed; the words are ours.
"""

from typing import Literal, NamedTuple

from contracts.modality import TriageRow


class Urgency(NamedTuple):
    """Band with its next step and timeline."""

    band: Literal["low", "moderate", "high", "urgent"]
    next_step: str
    timeline: str


NOW = Urgency("urgent", "Call the emergency services or go to an emergency department.", "now")
TODAY = Urgency("high", "Have the person examined by a doctor, with tests as needed.", "today")
SOON = Urgency("moderate", "Arrange an examination by a doctor.", "within days")
ROUTINE = Urgency(
    "low",
    "Have a doctor confirm or exclude it; sooner if symptoms are severe, last or get worse.",
    "at a routine appointment",
)

_RANKED: tuple[tuple[str, Urgency, str], ...] = (
    ("vertigo", SOON, "NHS, Vertigo"),
    ("aids", SOON, "WHO fact sheet, HIV and AIDS"),
    ("acne", ROUTINE, "NICE NG198, Acne vulgaris: management"),
    ("alcoholic_hepatitis", TODAY, "NICE CG100, Alcohol-use disorders: physical complications"),
    ("allergy", ROUTINE, "NHS, Allergies"),
    ("arthritis", SOON, "NICE NG100, Rheumatoid arthritis in adults"),
    ("bronchial_asthma", TODAY, "WHO fact sheet, Asthma"),
    ("cervical_spondylosis", ROUTINE, "NHS, Cervical spondylosis"),
    ("chicken_pox", SOON, "NHS, Chickenpox"),
    ("chronic_cholestasis", SOON, "EASL guidelines, Cholestatic liver diseases, J Hepatol 2009"),
    ("common_cold", ROUTINE, "NHS, Common cold"),
    ("dengue", TODAY, "WHO fact sheet, Dengue and severe dengue"),
    ("diabetes", SOON, "WHO fact sheet, Diabetes"),
    ("haemorrhoids", ROUTINE, "NHS, Piles (haemorrhoids)"),
    ("drug_reaction", TODAY, "NICE CG183, Drug allergy: diagnosis and management"),
    ("fungal_infection", ROUTINE, "WHO fact sheet, Ringworm (tinea)"),
    ("gastro_oesophageal_reflux", ROUTINE, "NICE CG184, Gastro-oesophageal reflux and dyspepsia"),
    ("gastroenteritis", SOON, "WHO fact sheet, Diarrhoeal disease"),
    ("heart_attack", NOW, "NICE CG95, Recent-onset chest pain of suspected cardiac origin"),
    ("hepatitis_b", SOON, "WHO fact sheet, Hepatitis B"),
    ("hepatitis_c", SOON, "WHO fact sheet, Hepatitis C"),
    ("hepatitis_d", SOON, "WHO fact sheet, Hepatitis D"),
    ("hepatitis_e", TODAY, "WHO fact sheet, Hepatitis E"),
    ("hypertension", SOON, "NICE NG136, Hypertension in adults: diagnosis and management"),
    ("hyperthyroidism", SOON, "NICE NG145, Thyroid disease: assessment and management"),
    ("hypoglycaemia", TODAY, "NHS, Low blood sugar (hypoglycaemia)"),
    ("hypothyroidism", SOON, "NICE NG145, Thyroid disease: assessment and management"),
    ("impetigo", SOON, "NHS, Impetigo"),
    ("jaundice", TODAY, "NHS, Jaundice"),
    ("malaria", TODAY, "WHO fact sheet, Malaria"),
    ("migraine", SOON, "NICE CG150, Headaches in over 12s: diagnosis and management"),
    ("osteoarthritis", ROUTINE, "NICE NG226, Osteoarthritis in over 16s"),
    ("brain_haemorrhage", NOW, "NICE NG128, Stroke and transient ischaemic attack in over 16s"),
    ("peptic_ulcer", SOON, "NICE CG184, Gastro-oesophageal reflux and dyspepsia"),
    ("pneumonia", TODAY, "NHS, Pneumonia"),
    ("psoriasis", ROUTINE, "NICE CG153, Psoriasis: assessment and management"),
    ("tuberculosis", TODAY, "NICE NG33, Tuberculosis"),
    ("typhoid", TODAY, "WHO fact sheet, Typhoid"),
    ("urinary_tract_infection", SOON, "NHS, Urinary tract infections"),
    ("varicose_veins", ROUTINE, "NICE CG168, Varicose veins: diagnosis and management"),
    ("hepatitis_a", SOON, "WHO fact sheet, Hepatitis A"),
)

SYMPTOM_TRIAGE = tuple(
    TriageRow(label, urgency.band, urgency.next_step, urgency.timeline, source)
    for label, urgency, source in _RANKED
)
