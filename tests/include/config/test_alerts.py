"""The key ``alerts`` of a profile: silent by default, and a mistake in it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.config.alerts import Alerts
from include.config.errors import ConfigurationError
from include.config.profiles import Profile, load_profile, load_profiles

if TYPE_CHECKING:
    import pathlib


def profile_with(tmp_path: pathlib.Path, alerts: str) -> Profile:
    file = tmp_path / "profiles.yaml"
    file.write_text(f"profiles:\n  - name: acme\n    alerts: {alerts}\n", encoding="utf-8")
    return load_profile("acme", file)


def test_as_shipped_nobody_is_told_and_the_file_shows_the_defaults() -> None:
    (shipped,) = load_profiles()
    assert shipped.alerts == Alerts() == Profile(name="default").alerts
    assert not shipped.alerts.to


def test_mail_addresses_and_a_notifier_are_taken_as_written(tmp_path: pathlib.Path) -> None:
    assert profile_with(tmp_path, "{to: [a@example.com, b@example.com]}").alerts.to == (
        "a@example.com",
        "b@example.com",
    )
    own = profile_with(tmp_path, "{notifier: a.b.Notifier, arguments: {text: '{{ alert.text }}', retries: 2}}").alerts
    assert (own.notifier, own.arguments) == ("a.b.Notifier", {"text": "{{ alert.text }}", "retries": 2})


def test_arguments_of_mail_may_word_it_otherwise_and_send_it_to_nobody_else() -> None:
    mail = Alerts(to=("a@example.com",), arguments={"subject": "Ropo", "to": ["b@example.com"], "from_email": "c@d"})
    assert mail.all_arguments == {
        "subject": "Ropo",
        "html_content": "{{ alert.html }}",
        "to": ["a@example.com"],
        "from_email": "c@d",
    }


@pytest.mark.parametrize(
    ("alerts", "key"),
    [
        ("{to: [somebody]}", "alerts.to.0"),
        ("{to: ['a@example.com, b@example.com']}", "alerts.to.0"),
        ("{to: a@example.com}", "alerts.to"),
        ("{remind_hours: -1}", "alerts.remind_hours"),
        ("{deadline_hour: 24}", "alerts.deadline_hour"),
        ("{arguments: text}", "alerts.arguments"),
        ("{mail: x}", "alerts.mail"),
    ],
)
def test_a_mistake_names_profile_and_key(tmp_path: pathlib.Path, alerts: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"profile 'acme', key '{key}'"):
        profile_with(tmp_path, alerts)
