from pathlib import Path

import pytest

from contracts.registry import MODALITIES
from deploy.procfile import BadProcfile, read_procfile, upstreams

ROOT = Path(__file__).parents[2]
LINE = "ecg: SERVICE_MODALITY=ecg SERVICE_HOST=127.0.0.1 SERVICE_PORT=${ECG_PORT:-8104} python -m x"


def test_a_line_is_a_name_its_variables_and_a_command():
    (process,) = read_procfile(LINE, {})

    assert process.name == "ecg"
    assert process.modality == "ecg"
    assert (process.host, process.port) == ("127.0.0.1", 8104)
    assert process.command == ("python", "-m", "x")


def test_a_variable_of_the_environment_moves_one_port():
    (process,) = read_procfile(LINE, {"ECG_PORT": "9999"})

    assert process.port == 9999


def test_PORT_moves_all_ports_that_were_not_chosen_by_name():
    processes = read_procfile((ROOT / "Procfile").read_text(), {"PORT": "9000", "ECG_PORT": "7"})

    assert [process.port for process in processes] == [9000, 9101, 9102, 9103, 7, 9105, 9106]


def test_the_gateway_is_told_where_every_service_of_the_procfile_listens():
    processes = read_procfile((ROOT / "Procfile").read_text(), {})

    assert list(upstreams(processes)) == [modality.id for modality in MODALITIES]
    assert upstreams(processes)["chest-xray"] == "http://127.0.0.1:8101"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_named_by_its_variable(port):
    with pytest.raises(BadProcfile, match="ECG_PORT"):
        read_procfile(LINE, {"ECG_PORT": port})


def test_a_base_that_is_no_number_is_refused():
    with pytest.raises(BadProcfile, match="PORT is not a port number"):
        read_procfile(LINE, {"PORT": "high"})


@pytest.mark.parametrize("line", ["no colon", "ecg: A=b", "Big: x"])
def test_a_line_that_is_not_understood_is_shown(line):
    with pytest.raises(BadProcfile, match=line):
        read_procfile(line, {})


def test_two_processes_cannot_share_a_name():
    with pytest.raises(BadProcfile, match="same name"):
        read_procfile(f"{LINE}\n{LINE}", {})
