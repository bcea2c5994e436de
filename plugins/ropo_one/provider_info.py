"""What Airflow learns of this provider by its entry point: the connection type with its form.

The plugin is not named here: as shipped (``lazy_discover_providers``) Airflow does not load the plugins of providers.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description (``airflow/provider_info.schema.json``)."""
    # Their bounds are those of ropo_one.connection, which each of Airflow's processes would import with this.
    timeout = {"type": ["number", "null"], "exclusiveMinimum": 0}
    return {
        "package-name": "ropo-one-reconciliation",
        "name": "Ropo One",
        "description": "Status updates of invoices from Ropo One.",
        "hooks": [{"integration-name": "Ropo One", "python-modules": ["ropo_one.hooks"]}],
        "operators": [
            {
                "integration-name": "Ropo One",
                "python-modules": [
                    f"ropo_one.operators.{name}"
                    for name in ("maintenance", "polling", "reconciliation", "run_profiles", "trial", "watch")
                ],
            }
        ],
        "connection-types": [
            {
                "hook-class-name": "ropo_one.hooks.RopoOneHook",
                "hook-name": "Ropo One",
                "connection-type": "ropo_one",
                "ui-field-behaviour": {
                    "hidden-fields": ["port", "schema", "extra"],
                    "relabeling": {"login": "Customer number", "password": "API code"},
                    "placeholders": {"host": "https://rc.ropo24.fi", "login": "1000011"},
                },
                "conn-fields": {
                    "connect_timeout": {
                        "label": "Connect timeout",
                        "description": "Seconds to connect; 10 if empty.",
                        "schema": {"title": "Connect timeout", **timeout, "maximum": 30},
                    },
                    "read_timeout": {
                        "label": "Read timeout",
                        "description": "Seconds without a byte of the answer; 240 if empty.",
                        "schema": {"title": "Read timeout", **timeout, "maximum": 300},
                    },
                    "ca_file": {
                        "label": "CA file",
                        "description": "PEM file of certificates to trust instead of the usual ones; Ropo needs none.",
                        "schema": {"title": "CA file", "type": ["string", "null"]},
                    },
                },
            }
        ],
    }
