# syntax=docker/dockerfile:1
# Targets: gateway, vision, tabular, training. All modalities of a kind share one image.
# Each target installs the locked packages of its own extra and copies only the packages of ours
# that it may import, so a forbidden import cannot even start. Model files are mounted, not baked in.

FROM python:3.13-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/venv/bin:$PATH
WORKDIR /app
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin mediflow

FROM base AS uv
COPY requirements.lock ./
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.txt \
    && pip install --no-cache-dir --require-hashes --no-deps -r uv.txt \
    && python -m venv --without-pip /venv
ENV UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=/venv

FROM uv AS gateway-packages
COPY requirements/gateway.lock ./
RUN uv pip sync --require-hashes gateway.lock

FROM uv AS vision-packages
COPY requirements/vision.lock ./
RUN uv pip sync --require-hashes vision.lock

FROM uv AS tabular-packages
COPY requirements/tabular.lock ./
RUN uv pip sync --require-hashes tabular.lock

FROM uv AS training-packages
COPY requirements/training.lock ./
RUN uv pip sync --require-hashes training.lock

FROM base AS gateway
RUN install --directory --owner mediflow --group mediflow --mode 0700 /data
COPY --from=gateway-packages /venv /venv
COPY contracts contracts
COPY serving serving
COPY gateway gateway
USER 10001:10001
CMD ["python", "-m", "gateway"]

FROM base AS vision
COPY --from=vision-packages /venv /venv
COPY contracts contracts
COPY serving serving
COPY vision_service vision_service
USER 10001:10001
CMD ["python", "-m", "vision_service"]

FROM base AS tabular
COPY --from=tabular-packages /venv /venv
COPY contracts contracts
COPY serving serving
COPY tabular_service tabular_service
USER 10001:10001
CMD ["python", "-m", "tabular_service"]

FROM base AS training
COPY --from=training-packages /venv /venv
COPY contracts contracts
COPY training training
USER 10001:10001
CMD ["python", "-m", "training", "--help"]
