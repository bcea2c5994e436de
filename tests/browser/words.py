"""Words that are broken within, letter by letter, measured in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# A narrow space within a number is no end of a word; a hyphen is one.
_BROKEN = r"""
(selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility()).flatMap((each) => {
  const broken = [];
  const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[^ \n\t-]+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
})
"""


def broken_words(page: Page, selector: str) -> list[str]:
    """Words of the elements that stand on more than one line."""
    return list(page.evaluate(_BROKEN, selector))
