"""What Chromium puts on paper, as its own dialog has it at first: without the grounds that a page has not asked for."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_FILL = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b")
# By the colour that it is drawn with, as a PDF writes it: three parts of at most 1.
_GROUND = """
(selector) => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(document.querySelector(selector)).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
}
"""


def times_filled(page: Page, selector: str) -> int:
    """How often the page's PDF fills something with the ground of an element."""
    ground = page.evaluate(_GROUND, selector)
    count = 0
    for stream in _STREAM.findall(page.pdf(prefer_css_page_size=True)):
        try:
            drawn = zlib.decompress(stream)
        except zlib.error:  # a font
            continue
        for fill in _FILL.findall(drawn):
            count += all(abs(float(part) - wanted) < 0.01 for part, wanted in zip(fill, ground, strict=True))
    return count
