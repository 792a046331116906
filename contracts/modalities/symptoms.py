"""Symptoms to disease: a ranked differential over a closed vocabulary (synthetic data).

The 41 diseases are those of the public 132-column table, in the alphabetical order of its names,
under codes of ours.
"""

from contracts.modalities.symptom_red_flags import SYMPTOM_RED_FLAGS
from contracts.modalities.symptom_terms import SYMPTOM_TERMS
from contracts.modalities.symptom_triage import SYMPTOM_TRIAGE
from contracts.modality import JSON, Kind, Label, Limits, Modality

SYMPTOMS = Modality(
    id="symptoms",
    title="Symptoms",
    kind=Kind.TABLE,
    activation="softmax",
    labels=(
        Label("vertigo", "Benign paroxysmal positional vertigo"),
        Label("aids", "AIDS"),
        Label("acne", "Acne"),
        Label("alcoholic_hepatitis", "Alcoholic hepatitis"),
        Label("allergy", "Allergy"),
        Label("arthritis", "Arthritis"),
        Label("bronchial_asthma", "Bronchial asthma"),
        Label("cervical_spondylosis", "Cervical spondylosis"),
        Label("chicken_pox", "Chickenpox"),
        Label("chronic_cholestasis", "Chronic cholestasis"),
        Label("common_cold", "Common cold"),
        Label("dengue", "Dengue"),
        Label("diabetes", "Diabetes"),
        Label("haemorrhoids", "Haemorrhoids (piles)"),
        Label("drug_reaction", "Drug reaction"),
        Label("fungal_infection", "Fungal infection"),
        Label("gastro_oesophageal_reflux", "Gastro-oesophageal reflux disease"),
        Label("gastroenteritis", "Gastroenteritis"),
        Label("heart_attack", "Heart attack"),
        Label("hepatitis_b", "Hepatitis B"),
        Label("hepatitis_c", "Hepatitis C"),
        Label("hepatitis_d", "Hepatitis D"),
        Label("hepatitis_e", "Hepatitis E"),
        Label("hypertension", "Hypertension"),
        Label("hyperthyroidism", "Hyperthyroidism"),
        Label("hypoglycaemia", "Hypoglycaemia"),
        Label("hypothyroidism", "Hypothyroidism"),
        Label("impetigo", "Impetigo"),
        Label("jaundice", "Jaundice"),
        Label("malaria", "Malaria"),
        Label("migraine", "Migraine"),
        Label("osteoarthritis", "Osteoarthritis"),
        Label("brain_haemorrhage", "Paralysis (brain haemorrhage)"),
        Label("peptic_ulcer", "Peptic ulcer disease"),
        Label("pneumonia", "Pneumonia"),
        Label("psoriasis", "Psoriasis"),
        Label("tuberculosis", "Tuberculosis"),
        Label("typhoid", "Typhoid"),
        Label("urinary_tract_infection", "Urinary tract infection"),
        Label("varicose_veins", "Varicose veins"),
        Label("hepatitis_a", "Hepatitis A"),
    ),
    media_types=(JSON,),
    indication="A list of at least three symptoms of one person, for a ranked list of diseases "
    "to think of.",
    notice="Research and education only, not a diagnosis. Trained on synthetic data: the order "
    "of the list carries no information on how common a disease is. In an emergency call for "
    "help at once.",
    triage=SYMPTOM_TRIAGE,
    critical=("heart_attack", "brain_haemorrhage"),
    limits=Limits(max_bytes=64 * 1024),
    vocabulary=SYMPTOM_TERMS,
    red_flags=SYMPTOM_RED_FLAGS,
)
