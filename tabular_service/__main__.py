"""`python -m tabular_service`: serve the tabular modality that the environment names."""

from __future__ import annotations

import os
import sys

from serving.threads import pin_environment
from tabular_service.no_torch import keep_torch_out


def main() -> int:
    """Return the exit code. Nothing heavy is imported before torch and threads are ruled."""
    keep_torch_out()
    pin_environment(os.environ.get("SERVICE_THREADS", "1"))
    from pydantic import ValidationError

    from contracts.errors import UnknownModality
    from contracts.registry import MODALITIES
    from serving.logs import configure_logging
    from serving.secrets import BadSecret, check_token
    from serving.server import ServerOptions, run
    from serving.settings import ServiceSettings, service_port
    from tabular_service.app import create_app

    try:
        settings = ServiceSettings()
        check_token("SERVICE_INTERNAL_TOKEN", settings.token, settings.host)
        app = create_app(settings)
        port = service_port(settings, tuple(modality.id for modality in MODALITIES))
    except ValidationError as error:
        names = sorted({f"SERVICE_{fault['loc'][0]}".upper() for fault in error.errors()})
        return _refuse(f"Missing or wrong settings: {', '.join(names)}.")
    except UnknownModality as error:
        return _refuse(error.detail)
    except BadSecret as error:
        return _refuse(f"{error}.")
    configure_logging(settings.log_level)
    options = ServerOptions(settings.drain_seconds, settings.shutdown_seconds)
    return run(app, settings.host, port, app.state.shell.health, options=options)


def _refuse(message: str) -> int:
    """Say what is wrong in one line."""
    sys.stderr.write(f"{message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
