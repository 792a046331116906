"""The routes of earlier clients before the released models, with the samples of `examples/`."""

import contextlib
import json

import httpx2
import pytest

from contracts.registry import MODALITIES
from tests.compat.calls import FACTORS, SYMPTOMS
from tests.e2e.processes import ROOT, free_port, released, start, wait_ready, wait_seen

NAMES = tuple(modality.id for modality in MODALITIES)
PICTURES = {
    "/analyze/skin": ("image", "skin-lesion/ISIC_0024306.jpg"),
    "/analyze/breast": ("image", "breast-ultrasound/malignant-6.png"),
    "/analyze/xray": ("image", "chest-xray/person418_virus_852.jpeg"),
    "/api/vision/analyze": ("file", "chest-xray/person418_virus_852.jpeg"),
    "/predict": ("file", "chest-xray/person418_virus_852.jpeg"),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The whole system as processes."""
    ports = {name: free_port() for name in NAMES}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    own = free_port()
    processes = [
        start(
            "tabular_service" if name in ("symptoms", "heart-risk") else "vision_service",
            SERVICE_MODALITY=name,
            SERVICE_CHECKPOINT=str(released(name)),
            SERVICE_HOST="127.0.0.1",
            SERVICE_PORT=str(port),
        )
        for name, port in ports.items()
    ]
    processes.append(
        start(
            "gateway",
            GATEWAY_PORT=str(own),
            GATEWAY_UPSTREAMS=json.dumps(urls),
            GATEWAY_DATA_DIR=str(tmp_path_factory.mktemp("data")),
            GATEWAY_DEADLINE_SECONDS="60",
        )
    )
    with contextlib.ExitStack() as stack:
        for process in processes:
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        gateway = f"http://127.0.0.1:{own}"
        for url in (*urls.values(), gateway):
            wait_ready(url, seconds=600)
        wait_seen(gateway, set(NAMES))
        yield gateway


def judged(response):
    """An accepted answer, or the problem of a refusal; never anything else."""
    body = response.json()
    if response.status_code == 422:
        assert body["outcome"] in ("abstained", "rejected")
        assert body["reasons"]
    else:
        assert response.status_code == 200, body
        assert body["outcome"] == "accepted"
    return body


@pytest.mark.parametrize("path", PICTURES)
def test_a_sample_picture_is_answered_or_refused_with_reasons(address, path):
    field, name = PICTURES[path]
    payload = (ROOT / "examples" / name).read_bytes()

    judged(httpx2.post(address + path, files={field: (name, payload)}, timeout=120))


def test_a_page_drawn_from_a_sample_record_is_answered_or_refused_with_reasons(address):
    from contracts.decoder import decode_input
    from contracts.registry import get_modality
    from gateway.upload import pack_record

    folder = ROOT / "examples" / "ecg"
    packed = pack_record(
        (folder / "00492_lr.hea").read_bytes(), (folder / "00492_lr.dat").read_bytes()
    )
    modality = get_modality("ecg")
    page = decode_input(packed, modality, render=modality.render).image
    judged(httpx2.post(f"{address}/analyze/heart", files={"image": _png(page)}, timeout=120))


def test_the_earlier_rows_are_answered(address):
    disease = httpx2.post(f"{address}/predict-disease", json=SYMPTOMS, timeout=120)
    heart = httpx2.post(f"{address}/predict-heart", json=FACTORS, timeout=120)

    judged(disease)
    assert 0 < judged(heart)["prediction"]["probability"] < 1


def test_the_model_is_described_with_its_measured_accuracy(address):
    body = httpx2.get(f"{address}/model/info", timeout=120).json()

    assert body["num_parameters"] == 4_010_110
    assert body["class_names"] == ["NORMAL", "PNEUMONIA"]


def _png(image):
    """A picture as a file."""
    import io

    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return ("page.png", stream.getvalue())
