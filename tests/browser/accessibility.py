"""axe-core's rules, run in a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.needs import missing

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

SCRIPT = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
# Every rule of WCAG 2.2 A and AA that axe-core can check, and its own best practices.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """
async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html} (${node.failureSummary})`);
  return found.violations.flatMap(told);
}
"""


def require_rules() -> None:
    """Skip where the rules are not installed; in CI that is a failure."""
    if not SCRIPT.exists():
        missing("axe-core is not installed: npm ci --prefix tests/browser")


def violations(page: Page | Frame) -> list[str]:
    """What a page breaks of the rules, a line each."""
    # By the debugger, which the page's content security policy does not bind.
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    return list(page.evaluate(_RUN, TAGS))
