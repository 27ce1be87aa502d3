# One image for every process of the product; compose.yaml says which runs where. Outside demo by default.
FROM python:3.11-slim

# For what is printed: docs/operations.md, "Letters on paper"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-dejavu-core fonts-noto-core fonts-droid-fallback \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 switchboard
WORKDIR /app

# The locks alone first: they change less often than the code.
COPY requirements-uv.lock requirements.lock ./
RUN python -m venv --without-pip .venv \
    && pip --python .venv/bin/python install --no-cache-dir --require-hashes -r requirements-uv.lock \
    && .venv/bin/uv pip install --python .venv/bin/python --no-cache --no-python-downloads \
        --require-hashes -r requirements.lock

COPY . .
RUN mkdir var && chown switchboard var

USER switchboard
ENV BIND=0.0.0.0 PORT=8000 DEMO=0 PYTHONUNBUFFERED=1
VOLUME /app/var
EXPOSE 8000

# Migrates, then keeps web, worker and beat. It needs the variables that docs/environment.md marks as required; without
# DATABASE_URL and REDIS_URL it runs its own servers, with their data in the volume.
CMD [".venv/bin/python", "-m", "config.run"]
HEALTHCHECK --start-period=60s CMD [".venv/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
