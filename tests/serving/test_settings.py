from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.settings import ServiceSettings, model_path, service_port

IDS = ("chest-xray", "skin-lesion")


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("SERVICE_MODALITY", "skin-lesion")
    monkeypatch.setenv("SERVICE_INTERNAL_TOKEN", "secret")

    settings = ServiceSettings()

    assert (settings.modality, settings.token) == ("skin-lesion", "secret")
    assert "secret" not in repr(settings)


def test_the_modality_has_no_default(monkeypatch):
    monkeypatch.delenv("SERVICE_MODALITY", raising=False)

    with pytest.raises(ValidationError):
        ServiceSettings()


def test_settings_are_frozen():
    settings = ServiceSettings(modality="x")

    with pytest.raises(ValidationError):
        settings.port = 1


def test_each_modality_has_its_own_port_unless_one_is_named():
    named = ServiceSettings(modality="skin-lesion", port=9000)

    assert service_port(ServiceSettings(modality="skin-lesion"), IDS) == 8102
    assert service_port(named, IDS) == 9000


def test_the_newest_version_is_served_unless_a_file_is_named(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    for name in ("v2.pth", "v10.pth", "v9.pth", "v11.skops", "vold.pth", "v3.md"):
        (folder / name).touch()

    newest = model_path(ServiceSettings(modality="x", models_dir=tmp_path), ".pth")
    named = model_path(ServiceSettings(modality="x", checkpoint=Path("other.pth")), ".pth")

    assert (newest, named) == (folder / "v10.pth", Path("other.pth"))


def test_without_any_file_the_first_version_is_looked_for(tmp_path):
    path = model_path(ServiceSettings(modality="x", models_dir=tmp_path), ".pth")

    assert path == tmp_path / "x" / "v1.pth"
