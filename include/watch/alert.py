"""What an alert says, as text and as HTML. It names invoices and amounts; never a free text of Ropo's rows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


PAGE = "/reconciliation/"
# More matters than this in one alert stand there by their titles alone.
_IN_FULL = 3
_NAMED = 50


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell.

    :param title: one line.
    :param lines: what is known of it, and what to do.
    :param dag_id: and ``run_id``: the Airflow run that found it, if one did; without a run the DAG is linked to.
    """

    title: str
    lines: tuple[str, ...] = ()
    dag_id: str | None = None
    run_id: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A message, as the notifier's templates see it.

    :param topic: see ``include/watch/topics.py``.
    :param subject: one line, for a mail's subject or a chat's heading.
    :param text: lines of plain text; ``html``: the same, escaped.
    :param titles: of what is told, one line each. Dates, verdicts and counts: they may stand in a log.
    """

    profile: str
    topic: str
    subject: str
    text: str
    html: str
    titles: tuple[str, ...] = ()


class _Link(NamedTuple):
    """A line that leads into Airflow's UI."""

    word: str
    url: str

    def __str__(self) -> str:
        return f"{self.word}: {self.url}"


def compose(profile: str, topic: str, plural: str, matters: Sequence[Matter], base_url: str) -> Alert:
    """Make one message of all matters of a topic.

    :param plural: what several of them are called.
    :param base_url: of Airflow's UI.
    """
    subject = matters[0].title if len(matters) == 1 else f"{len(matters)} {plural}"
    sections = list(_sections(matters, base_url.rstrip("/")))
    return Alert(
        profile=profile,
        topic=topic,
        subject=f"[Ropo One] {profile}: {subject}",
        text="\n\n".join("\n".join((str(title), *(f"- {line}" for line in lines))) for title, lines in sections),
        html="".join(_html(title, lines) for title, lines in sections),
        titles=tuple(matter.title for matter in matters[:_NAMED]),
    )


def _sections(matters: Sequence[Matter], base_url: str) -> Iterable[tuple[str | _Link, Sequence[str | _Link]]]:
    for matter in matters[:_NAMED]:
        lines: list[str | _Link] = list(matter.lines) if len(matters) <= _IN_FULL else []
        if matter.dag_id:
            dag = f"{base_url}/dags/{quote(matter.dag_id)}"
            run = matter.run_id and f"{dag}/runs/{quote(matter.run_id, safe='')}"
            lines.append(_Link("Run", run) if run else _Link("DAG", dag))
        yield matter.title, lines
    if len(matters) > _NAMED:
        yield f"… and {len(matters) - _NAMED} more", ()
    yield _Link("Reconciliation", f"{base_url}{PAGE}"), ()


def _html(title: str | _Link, lines: Sequence[str | _Link]) -> str:
    items = "".join(f"<li>{_marked_up(line)}</li>" for line in lines)
    return f"<p><strong>{_marked_up(title)}</strong></p>" + (f"<ul>{items}</ul>" if items else "")


def _marked_up(line: str | _Link) -> str:
    """Escape a line; what an invoice is called, or a note, never becomes a link, whatever it looks like."""
    if isinstance(line, str):
        return escape(line)
    url = escape(line.url)
    return f'{escape(line.word)}: <a href="{url}">{url}</a>'
