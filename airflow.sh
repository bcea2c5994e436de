#!/usr/bin/env bash
# The project's Airflow CLI with the project's environment; a variable that is already set wins. See demo/cli.py.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python="$root/.venv/bin/python"
if [ ! -x "$python" ]; then
    echo "airflow.sh: the project's environment is not there: run 'make install' first." >&2
    exit 1
fi
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m demo.cli "$@"
