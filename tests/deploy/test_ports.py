import socket

from deploy.ports import explain, taken
from deploy.procfile import Process
from tests.deploy.net import free_port


def process(name: str, port: int) -> Process:
    environment = {"SERVICE_HOST": "127.0.0.1", "SERVICE_PORT": str(port)}
    return Process(name, environment, ("true",))


def test_a_port_that_somebody_listens_on_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        blocked = process("ecg", server.getsockname()[1])

        assert taken([blocked]) == (blocked,)


def test_a_free_port_is_not_taken():
    assert taken([process("ecg", free_port())]) == ()


def test_two_of_our_processes_cannot_have_one_port():
    port = free_port()
    first, second = process("ecg", port), process("chest-xray", port)

    assert taken([first, second]) == (second,)


def test_the_message_names_port_process_and_remedy():
    message = explain([process("heart-risk", 8106)])

    assert "Port 8106 (heart-risk) is in use" in message
    assert "HEART_RISK_PORT=" in message
