"""`python -m vision_service`: serve one modality; `… infer`: answer one file and exit."""

from __future__ import annotations

import os
import sys
import warnings

from serving.threads import pin_environment


def main(arguments: list[str]) -> int:
    """Return the exit code. Nothing heavy is imported before the thread counts are pinned."""
    pin_environment(os.environ.get("SERVICE_THREADS", "1"))
    # Pillow warns about odd but readable files; our own checks decide, and logs stay clean.
    warnings.filterwarnings("ignore", module="PIL")
    if arguments[:1] == ["infer"]:
        from vision_service.infer import run_infer

        return run_infer(arguments[1:])
    return serve()


def serve() -> int:
    """Serve the modality that the environment names until the process is told to stop.

    Wrong settings are told in one line and at once, before anything heavy is imported.
    """
    from pydantic import ValidationError

    from contracts.errors import UnknownModality
    from contracts.registry import MODALITIES, get_modality
    from serving.logs import configure_logging
    from serving.secrets import BadSecret, check_token
    from serving.server import ServerOptions, run
    from serving.settings import ServiceSettings, service_port

    try:
        settings = ServiceSettings()
        modality = get_modality(settings.modality)
        check_token("SERVICE_INTERNAL_TOKEN", settings.token, settings.host)
    except ValidationError as error:
        names = sorted({f"SERVICE_{fault['loc'][0]}".upper() for fault in error.errors()})
        return _refuse(f"Missing or wrong settings: {', '.join(names)}.")
    except UnknownModality as error:
        return _refuse(error.detail)
    except BadSecret as error:
        return _refuse(f"{error}.")
    if not modality.is_image:
        return _refuse("This modality is a table: run `python -m tabular_service` for it.")
    from vision_service.lean import import_torchvision

    import_torchvision()
    from vision_service.app import create_app
    from vision_service.threads import pin_interop

    pin_interop()
    configure_logging(settings.log_level)
    app = create_app(settings)
    port = service_port(settings, tuple(entry.id for entry in MODALITIES))
    options = ServerOptions(settings.drain_seconds, settings.shutdown_seconds)
    return run(app, settings.host, port, app.state.shell.health, options=options)


def _refuse(message: str) -> int:
    """Say what is wrong in one line."""
    sys.stderr.write(f"{message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
