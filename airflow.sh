#!/usr/bin/env bash
# The project's Airflow CLI in its environment; a variable that is already set wins. See local_airflow/cli.py.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python="$root/.venv/bin/python"
if [ ! -x "$python" ]; then
    echo "airflow.sh: the project's environment is not there: run 'make install' first." >&2
    exit 1
fi
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m local_airflow.cli "$@"
