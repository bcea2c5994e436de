# By digest where the registry can be asked: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/ropo:/opt/ropo/plugins \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/ropo/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/ropo/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False

# The logs' directory is made here so that a volume mounted on it belongs to the user too.
RUN useradd --uid 50000 --create-home airflow \
    && mkdir -p /opt/airflow/logs \
    && chown -R airflow: /opt/airflow

WORKDIR /opt/ropo
COPY requirements-build.txt requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.txt -r requirements.txt

COPY pyproject.toml README.md ./
COPY plugins plugins
COPY include include
COPY dags dags
# Editable: what runs is what was copied, and the entry point of the connection type is registered.
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    # Containers cannot write here: what is not compiled now would be compiled at each start of a task.
    && python -m compileall -q plugins include dags \
    # `COPY` keeps the checkout's modes: one written under umask 077 would be root's alone, and one under 000 everybody's.
    && chmod -R a+rX,go-w .

# By number, so that `runAsNonRoot` of Kubernetes can check it.
USER 50000
