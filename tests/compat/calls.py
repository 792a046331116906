"""The request of each earlier route, as its clients send it."""

from tests.gateway.fakes import JPEG_BYTES

PICTURES = {
    "/analyze/skin": ("image", "skin-lesion"),
    "/analyze/heart": ("image", "ecg"),
    "/analyze/breast": ("image", "breast-ultrasound"),
    "/analyze/xray": ("image", "chest-xray"),
    "/api/vision/analyze": ("file", "chest-xray"),
    "/predict": ("file", "chest-xray"),
}
SYMPTOMS = {"symptoms": ["fever", "cough", "headache", "fatigue"]}
FACTORS = {
    "age": 55,
    "sex": 1,
    "blood_pressure": 145,
    "cholesterol": 250,
    "chest_pain": 2,
    "max_heart_rate": 140,
    "exercise_angina": 0,
}
ROWS = {
    "/predict-disease": (SYMPTOMS, "symptoms"),
    "/predict-heart": (FACTORS, "heart-risk"),
}
MODALITIES = {path: modality for path, (_, modality) in (PICTURES | ROWS).items()}
FLAGGED = ("/analyze/skin", "/analyze/heart", "/analyze/breast", "/analyze/xray", *ROWS)


async def send(client, path, payload=JPEG_BYTES, **options):
    """POST the usual request of a route; `options` go to the HTTP client."""
    if path in ROWS:
        return await client.post(path, json=ROWS[path][0], **options)
    field = PICTURES[path][0]
    return await client.post(path, files={field: ("film.jpg", payload)}, **options)


async def answer_of(client, path, payload=JPEG_BYTES, **options):
    """The JSON of the 200."""
    response = await send(client, path, payload, **options)
    assert response.status_code == 200, response.text
    return response.json()
