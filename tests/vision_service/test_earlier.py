"""The functions of earlier projects answer under their own keys, and raise where they must not."""

import pytest

from contracts.errors import InvalidInput
from tests.e2e.processes import ROOT, released
from vision_service.earlier import analyze_xray, predict_skin_cancer

EXAMPLES = ROOT / "examples"
FILM = EXAMPLES / "chest-xray" / "person418_virus_852.jpeg"
LESION = EXAMPLES / "skin-lesion" / "ISIC_0024332.jpg"


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_analyze_xray_returns_its_three_keys():
    answer = analyze_xray(FILM.read_bytes())

    assert answer.keys() == {"prediction", "confidence", "disclaimer"}
    assert answer["prediction"] == "PNEUMONIA"
    assert 0.5 < answer["confidence"] <= 1


def test_analyze_xray_raises_for_what_is_no_film():
    with pytest.raises(InvalidInput) as refused:
        analyze_xray(LESION.read_bytes())

    assert refused.value.code == "rejected"
    assert refused.value.detail


def test_predict_skin_cancer_names_class_and_risk():
    answer = predict_skin_cancer(str(released("skin-lesion")), str(LESION))

    assert answer.keys() == {"predicted_class", "predicted_name", "confidence", "risk_level"}
    assert answer["predicted_class"] == "bcc"
    assert answer["risk_level"] == "HIGH"
