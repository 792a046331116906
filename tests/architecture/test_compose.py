"""Registry, compose, Procfile, Dockerfile and models say the same; containers are hardened."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts.registry import MODALITIES
from deploy.procfile import read_procfile
from tests.architecture.compose_file import ROOT, VARIABLE, compose, image_packages

IDS = [modality.id for modality in MODALITIES]

SERVICES = compose()["services"]
PROCESSES = {
    process.name: process for process in read_procfile((ROOT / "Procfile").read_text(), {})
}
MODEL_SERVICES = {name: stanza for name, stanza in SERVICES.items() if name != "gateway"}


def test_the_compose_file_follows_the_published_schema():
    schema = json.loads((ROOT / "tests/architecture/compose-spec/schema.json").read_text())

    errors = [error.message for error in Draft202012Validator(schema).iter_errors(compose())]

    assert not errors


def test_the_schema_would_notice_a_misspelt_member():
    schema = json.loads((ROOT / "tests/architecture/compose-spec/schema.json").read_text())
    broken = compose()
    broken["services"]["ecg"]["memlimit"] = "1g"

    assert list(Draft202012Validator(schema).iter_errors(broken))


def test_registry_compose_and_procfile_have_the_same_modalities_in_the_same_order():
    assert list(MODEL_SERVICES) == IDS
    assert [process.modality for process in PROCESSES.values() if process.modality] == IDS
    assert [name for name in PROCESSES if name != "gateway"] == IDS
    assert list(SERVICES["gateway"]["depends_on"]) == IDS


@pytest.mark.parametrize("name", IDS)
def test_compose_and_procfile_run_the_same_model_with_the_same_command(name):
    stanza, process = MODEL_SERVICES[name], PROCESSES[name]
    members = ("SERVICE_MODALITY", "SERVICE_CHECKPOINT")

    assert stanza["command"] == list(process.command)
    assert stanza["environment"]["SERVICE_MODALITY"] == name
    for member in members:
        assert stanza["environment"][member] == process.environment[member]


@pytest.mark.parametrize("name", IDS)
def test_a_released_model_is_the_one_that_runs_and_has_its_card_and_digest(name):
    checkpoint = ROOT / MODEL_SERVICES[name]["environment"]["SERVICE_CHECKPOINT"]
    released = [path for path in checkpoint.parent.glob("v*") if path.suffix in {".pth", ".skops"}]

    assert released == [checkpoint]
    assert checkpoint.with_suffix(".md").exists()
    assert f"  {checkpoint.name}" in (checkpoint.parent / "SHA256SUMS").read_text()


def test_every_folder_of_models_belongs_to_a_modality():
    folders = {path.name for path in (ROOT / "models").glob("*") if path.is_dir()}

    assert folders <= set(IDS)


def test_only_the_gateway_publishes_a_port_and_by_default_on_loopback():
    assert SERVICES["gateway"]["ports"] == ["127.0.0.1:8000:8000"]
    assert not [name for name, stanza in MODEL_SERVICES.items() if "ports" in stanza]


def test_services_stand_on_a_network_without_a_way_out():
    networks = compose()["networks"]

    assert all(stanza["networks"] == ["inside"] for stanza in MODEL_SERVICES.values())
    assert networks["inside"] == {"internal": True}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_hardened(name):
    stanza = SERVICES[name]

    assert stanza["user"].split(":")[0] not in {"", "0", "root"}
    assert stanza["read_only"] is True
    assert stanza["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in stanza["security_opt"]
    assert stanza["mem_limit"]
    assert stanza["pids_limit"]
    assert stanza["restart"] == "unless-stopped"
    assert "privileged" not in stanza
    assert not [volume for volume in stanza["volumes"] if "docker.sock" in volume]


@pytest.mark.parametrize("name", MODEL_SERVICES)
def test_a_service_reads_models_and_writes_nothing(name):
    assert MODEL_SERVICES[name]["volumes"] == ["./models:/app/models:ro"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_probe_needs_nothing_but_python(name):
    assert SERVICES[name]["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]


def test_a_missing_model_does_not_keep_the_gateway_from_starting():
    conditions = SERVICES["gateway"]["depends_on"].values()

    assert {entry["condition"] for entry in conditions} == {"service_started"}


def test_nothing_starts_without_a_token_of_ones_own():
    with pytest.raises(KeyError, match="MEDIFLOW_INTERNAL_TOKEN"):
        compose({})


def test_the_example_environment_names_every_variable_and_holds_no_secret():
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    used = {match["name"] for match in VARIABLE.finditer((ROOT / "docker-compose.yml").read_text())}

    assert set(example) == used
    assert example["MEDIFLOW_INTERNAL_TOKEN"] == ""


def test_an_image_holds_only_the_packages_that_its_process_may_import():
    assert image_packages() == {
        "gateway": ["contracts", "serving", "gateway"],
        "vision": ["contracts", "serving", "vision_service"],
        "tabular": ["contracts", "serving", "tabular_service"],
        "training": ["contracts", "training"],
    }


def test_every_image_that_compose_builds_is_a_target_of_the_dockerfile():
    built = {stanza["build"]["target"] for stanza in SERVICES.values()}

    assert built == {"gateway", "vision", "tabular"}
    assert built <= set(image_packages())


def test_no_image_runs_as_root():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert dockerfile.count("USER 10001:10001") == len(image_packages())


def test_nothing_is_installed_into_an_image_without_its_hash():
    dockerfile = (ROOT / "Dockerfile").read_text()
    installing = re.findall(r"pip (?:install|sync)[^\n]*", dockerfile)

    assert len(installing) == 1 + len(image_packages())
    assert [line for line in installing if "--require-hashes" not in line] == []


@pytest.mark.parametrize("target", image_packages())
def test_an_image_installs_a_part_of_the_one_lock(target):
    whole = entries(ROOT / "requirements.lock")
    part = entries(ROOT / "requirements" / f"{target}.lock")

    assert part
    assert {name: whole.get(name) for name in part} == part


def test_the_gateway_and_the_tabular_image_carry_no_model_stack_that_is_not_theirs():
    for target, never in {
        "gateway": {"torch", "numpy", "pillow", "scikit-learn"},
        "tabular": {"torch", "torchvision", "pillow"},
        "training": {"fastapi", "uvicorn", "httpx2"},
    }.items():
        names = {name.split("==")[0] for name in entries(ROOT / "requirements" / f"{target}.lock")}
        assert not names & never, target


def test_every_image_that_answers_can_send_traces():
    wanted = {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}
    for target in ("gateway", "vision", "tabular"):
        names = {name.split("==")[0] for name in entries(ROOT / "requirements" / f"{target}.lock")}
        assert wanted <= names, target


LOCKS = ("requirements.lock", *(f"requirements/{target}.lock" for target in image_packages()))


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index(lock):
    text = (ROOT / lock).read_text()

    assert "://" not in text


def entries(lock: Path) -> dict[str, frozenset[str]]:
    """The hashes of each `name==version` of a lock file."""
    found: dict[str, frozenset[str]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", lock.read_text()):
        if match := re.match(r"[a-z0-9][a-z0-9._-]*==[^ ;\\]+", block):
            found[match[0]] = frozenset(re.findall(r"sha256:\w+", block))
    return found
