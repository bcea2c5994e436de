"""A message says what it is about in its subject, and everything in it is escaped."""

from __future__ import annotations

from include.watch.alert import Matter, compose


def test_one_matter_stands_in_the_subject_with_its_lines_and_links_below() -> None:
    matter = Matter(title="2026-10-05 is breaks", lines=("first", "second"), dag_id="ropo", run_id="manual__2026+02:00")

    alert = compose("acme", "red_verdict", "dates are red", [matter], "https://airflow.example.com/base/")

    assert alert.subject == "[Ropo One] acme: 2026-10-05 is breaks"
    assert alert.text.splitlines() == [
        "2026-10-05 is breaks",
        "- first",
        "- second",
        "- Run: https://airflow.example.com/base/dags/ropo/runs/manual__2026%2B02%3A00",
        "",
        "Reconciliation: https://airflow.example.com/base/reconciliation/",
    ]
    assert '<a href="https://airflow.example.com/base/reconciliation/">' in alert.html


def test_several_matters_are_counted_and_many_stand_there_by_their_titles_alone() -> None:
    matters = [Matter(title=f"date {number}", lines=("why",)) for number in range(60)]

    alert = compose("acme", "missing_verdict", "dates have no verdict", matters, "http://localhost:8080")

    assert alert.subject == "[Ropo One] acme: 60 dates have no verdict"
    assert "why" not in alert.text
    assert "… and 10 more" in alert.text
    assert len(alert.text) < 2000


def test_what_an_invoice_is_called_cannot_become_markup() -> None:
    matter = Matter(title="t", lines=("Invoice <script>alert(1)</script>: http://x\"onclick='y'",))

    alert = compose("acme", "red_verdict", "dates are red", [matter], "http://localhost:8080")

    assert "<script>" not in alert.html
    assert "&lt;script&gt;" in alert.html
    assert '"onclick' not in alert.html


def test_what_an_invoice_is_called_cannot_become_a_link() -> None:
    forged = "1: http://evil.example/login"
    matter = Matter(title=f"Invoice {forged}", lines=(f"Invoice {forged}", "Run: https://evil.example"), dag_id="ropo")

    alert = compose("acme", "red_verdict", "dates are red", [matter], "http://localhost:8080")

    assert alert.html.count("<a ") == 2
    assert '<a href="http://localhost:8080/dags/ropo">' in alert.html
    assert forged in alert.html
