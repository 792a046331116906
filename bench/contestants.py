"""Who is measured: MediFlow as released, and the same model file behind other servers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.environment import version_in
from bench.film import posts, raw_posts
from bench.names import OURS, PLAIN
from bench.peers import MODEL
from bench.server import ROOT, Server, free_port
from deploy.procfile import Process, model_file, read_procfile
from deploy.system import environment_for

MODALITY = "chest-xray"


@dataclass(frozen=True, slots=True)
class System:
    """MediFlow: the gateway of the Procfile with one of its services, and nothing switched off."""

    gateway: Process
    service: Process
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What both processes are given beside the Procfile; threads are theirs to set."""
        shared = environment_for((self.gateway, self.service), dict(os.environ))
        return shared | {"GATEWAY_DATA_DIR": str(self.folder)}

    @property
    def serve(self) -> tuple[str, ...]:
        """The service's command, with an empty folder for the compiled form."""
        return _command(self.service, {"SERVICE_CACHE_DIR": str(self.folder / "compiled")})

    @property
    def internal_header(self) -> str:
        """The header line with which the service takes a direct question."""
        return f"Authorization: Bearer {self._token}"

    @property
    def _token(self) -> str:
        return os.environ["GATEWAY_INTERNAL_TOKEN"]

    def both(self) -> Server:
        """Gateway and service, asked as a client asks."""
        return Server(
            name=OURS,
            settings="Procfile as released: ONNX Runtime, 1 thread per call, audit on SQLite, "
            "metrics, validity and quality checks on",
            commands=(self.serve, _command(self.gateway, {})),
            port=self.gateway.port,
            posts=partial(posts, path=f"/v1/{MODALITY}/predictions", field="file"),
            environment=self.environment,
        )

    def service_alone(self) -> Server:
        """The service, asked as the gateway asks."""
        return Server(
            name=f"{OURS}, service alone",
            settings="",
            commands=(self.serve,),
            port=self.service.port,
            posts=partial(raw_posts, path="/predict", headers=(self.internal_header,)),
            environment=self.environment,
        )


def system(folder: Path) -> System:
    """Return MediFlow on free ports, with its state in `folder`."""
    ports = {"GATEWAY_PORT": free_port(), "CHEST_XRAY_PORT": free_port()}
    chosen = {**os.environ, **{name: str(port) for name, port in ports.items()}}
    processes = {one.name: one for one in read_procfile((ROOT / "Procfile").read_text(), chosen)}
    return System(processes["gateway"], processes[MODALITY], folder)


def plain_fastapi() -> Server:
    """The plain design, in our own environment."""
    port = free_port()
    return Server(
        name=PLAIN,
        settings="torch float32, contiguous, torch's own thread count",
        commands=((sys.executable, "-m", "bench.peers.plain_fastapi", str(port)),),
        port=port,
        posts=partial(posts, path="/predict", field="file"),
        environment={MODEL: str(model_file(MODALITY, ROOT))},
    )


def litserve(python: Path) -> Server:
    """LitServe in the throw-away environment."""
    port = free_port()
    return Server(
        name=f"LitServe {version_in(python, 'litserve')}",
        settings="torch float32, batches of up to 8 within 5 ms",
        commands=((str(python), "-m", "bench.peers.with_litserve", str(port)),),
        port=port,
        posts=partial(posts, path="/predict", field="file"),
        environment={MODEL: str(model_file(MODALITY, ROOT))},
    )


def bentoml(python: Path) -> Server:
    """BentoML in the throw-away environment."""
    port = free_port()
    program = ("-m", "bentoml", "serve", "bench.peers.with_bentoml:Film", "--host", "127.0.0.1")
    return Server(
        name=f"BentoML {version_in(python, 'bentoml')}",
        settings="torch float32, one worker, BentoML's own thread count",
        commands=((str(python), *program, "--port", str(port)),),
        port=port,
        posts=partial(posts, path="/predict", field="image"),
        environment={MODEL: str(model_file(MODALITY, ROOT)), "BENTOML_DO_NOT_TRACK": "1"},
    )


def _command(process: Process, instead: dict[str, str]) -> tuple[str, ...]:
    assignments = [f"{name}={value}" for name, value in {**process.environment, **instead}.items()]
    return "/usr/bin/env", *assignments, sys.executable, *process.command[1:]
