"""Who should see a person with one of the 41 diseases, and how soon; one source per row.

Four steps of urgency, never a treatment and never a reassurance. The sources say how urgently
the disease is to be assessed; the words are ours. Guidelines carry the year of their publication;
pages of nhs.uk and who.int are revised in place and carry none.
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
    ("vertigo", SOON, "NHS website (nhs.uk), Vertigo"),
    ("aids", SOON, "WHO fact sheet (who.int), HIV and AIDS"),
    ("acne", ROUTINE, "NICE NG198, Acne vulgaris: management (2021)"),
    (
        "alcoholic_hepatitis",
        TODAY,
        "NICE CG100, Alcohol-use disorders: physical complications (2010)",
    ),
    ("allergy", ROUTINE, "NHS website (nhs.uk), Allergies"),
    ("arthritis", SOON, "NICE NG100, Rheumatoid arthritis in adults (2018)"),
    ("bronchial_asthma", TODAY, "WHO fact sheet (who.int), Asthma"),
    ("cervical_spondylosis", ROUTINE, "NHS website (nhs.uk), Cervical spondylosis"),
    ("chicken_pox", SOON, "NHS website (nhs.uk), Chickenpox"),
    (
        "chronic_cholestasis",
        SOON,
        "EASL guidelines, Management of cholestatic liver diseases (J Hepatol 2009;51:237–267)",
    ),
    ("common_cold", ROUTINE, "NHS website (nhs.uk), Common cold"),
    ("dengue", TODAY, "WHO fact sheet (who.int), Dengue"),
    ("diabetes", SOON, "WHO fact sheet (who.int), Diabetes"),
    ("haemorrhoids", ROUTINE, "NHS website (nhs.uk), Piles (haemorrhoids)"),
    ("drug_reaction", TODAY, "NICE CG183, Drug allergy: diagnosis and management (2014)"),
    ("fungal_infection", ROUTINE, "WHO fact sheet (who.int), Ringworm (tinea)"),
    (
        "gastro_oesophageal_reflux",
        ROUTINE,
        "NICE CG184, Gastro-oesophageal reflux and dyspepsia (2014)",
    ),
    ("gastroenteritis", SOON, "WHO fact sheet (who.int), Diarrhoeal disease"),
    ("heart_attack", NOW, "NICE CG95, Recent-onset chest pain of suspected cardiac origin (2010)"),
    ("hepatitis_b", SOON, "WHO fact sheet (who.int), Hepatitis B"),
    ("hepatitis_c", SOON, "WHO fact sheet (who.int), Hepatitis C"),
    ("hepatitis_d", SOON, "WHO fact sheet (who.int), Hepatitis D"),
    ("hepatitis_e", TODAY, "WHO fact sheet (who.int), Hepatitis E"),
    ("hypertension", SOON, "NICE NG136, Hypertension in adults: diagnosis and management (2019)"),
    ("hyperthyroidism", SOON, "NICE NG145, Thyroid disease: assessment and management (2019)"),
    ("hypoglycaemia", TODAY, "NHS website (nhs.uk), Low blood sugar (hypoglycaemia)"),
    ("hypothyroidism", SOON, "NICE NG145, Thyroid disease: assessment and management (2019)"),
    ("impetigo", SOON, "NHS website (nhs.uk), Impetigo"),
    ("jaundice", TODAY, "NHS website (nhs.uk), Jaundice"),
    ("malaria", TODAY, "WHO fact sheet (who.int), Malaria"),
    ("migraine", SOON, "NICE CG150, Headaches in over 12s: diagnosis and management (2012)"),
    ("osteoarthritis", ROUTINE, "NICE NG226, Osteoarthritis in over 16s (2022)"),
    (
        "brain_haemorrhage",
        NOW,
        "NICE NG128, Stroke and transient ischaemic attack in over 16s (2019)",
    ),
    ("peptic_ulcer", SOON, "NICE CG184, Gastro-oesophageal reflux and dyspepsia (2014)"),
    ("pneumonia", TODAY, "NHS website (nhs.uk), Pneumonia"),
    ("psoriasis", ROUTINE, "NICE CG153, Psoriasis: assessment and management (2012)"),
    ("tuberculosis", TODAY, "NICE NG33, Tuberculosis (2016)"),
    ("typhoid", TODAY, "WHO fact sheet (who.int), Typhoid"),
    ("urinary_tract_infection", SOON, "NHS website (nhs.uk), Urinary tract infections"),
    ("varicose_veins", ROUTINE, "NICE CG168, Varicose veins: diagnosis and management (2013)"),
    ("hepatitis_a", SOON, "WHO fact sheet (who.int), Hepatitis A"),
)

SYMPTOM_TRIAGE = tuple(
    TriageRow(label, urgency.band, urgency.next_step, urgency.timeline, source)
    for label, urgency, source in _RANKED
)
