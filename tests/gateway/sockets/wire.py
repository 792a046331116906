"""Talk to the gateway in raw bytes."""

import contextlib
import socket
import time

from tests.gateway.fakes import JPEG_BYTES

URL = "/v1/chest-xray/predictions"


def head(length=None, *extra, method="POST", path=URL, media_type="image/jpeg"):
    """A request head; `extra` are further header lines."""
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway", f"Content-Type: {media_type}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, *extra, "", ""]).encode()


class Answer:
    """What came back on a socket."""

    def __init__(self, raw):
        self.raw = raw
        self.head, _, self.body = raw.partition(b"\r\n\r\n")
        self.status = int(self.head.split(b" ")[1]) if self.head else None

    def __repr__(self):
        return f"<Answer {self.status} {self.raw[:300]!r}>"


class Wire:
    """One TCP connection to the gateway."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def send(self, data):
        """Send; a peer that has closed already is no error of the test."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        return self

    def receive(self, timeout=30):
        """Return the next whole answer, or what there is when the peer closes."""
        self.socket.settimeout(timeout)
        raw = b""
        while not _whole(raw):
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            raw += piece
        return Answer(raw)

    def closed_within(self, seconds):
        """True when the peer closes the connection in time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(65536):
                    return True
            except ConnectionResetError:
                return True
            except TimeoutError:
                return False
        return False


def _whole(raw):
    head_, mark, body = raw.partition(b"\r\n\r\n")
    if not mark:
        return False
    for line in head_.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


def ask(port, *extra, payload=JPEG_BYTES, path=URL):
    """Send one good upload on a fresh connection and return the answer."""
    with Wire(port) as wire:
        return wire.send(head(len(payload), *extra, path=path) + payload).receive()
