"""Templates, and how figures and moments are written in them."""

from __future__ import annotations

import datetime
import hashlib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.config.errors import ConfigurationError
from include.config.profiles import load_profiles
from include.config.wording import grouped, grouped_money, worded
from include.page_data.past_grace import has_more_past_grace
from include.reconciliation.break_history import event_in_words
from include.reconciliation.categories import CATEGORY_WORDS
from include.reconciliation.further import further_in_words
from include.reconciliation.next_steps import next_step
from include.reconciliation.stake import is_stake_known
from include.reconciliation.unmapped import shown_code, shown_label
from reconciliation_page import PREFIX
from reconciliation_page.notes import written_note
from reconciliation_page.parameters import NOTE_LENGTH
from reconciliation_page.words import CHANGE_WORDS, STATE_WORDS, VERDICT_SIGNS, VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from fastapi import Request

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


@cache
def environment() -> Environment:
    """Return the templates' environment: everything escaped, an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        money=money,
        signed_money=signed_money,
        moment=moment,
        count=count,
        signed=signed,
        day=day,
        ago=ago,
        category=category_words,
        counted=counted,
        further_words=further_in_words,
        state=state_words,
        sentence=sentence,
    )
    found.globals.update(
        verdict_words=VERDICT_WORDS,
        verdict_signs=VERDICT_SIGNS,
        change_words=CHANGE_WORDS,
        next_step=next_step,
        event_in_words=event_in_words,
        is_stake_known=is_stake_known,
        has_more_past_grace=has_more_past_grace,
        shown_code=shown_code,
        shown_label=shown_label,
        static_version=static_version(),
        note_length=NOTE_LENGTH,
    )
    return found


@cache
def static_version() -> str:
    """Return what changes with any static file, so that browsers keep none that is old."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def base_path(request: Request) -> str:
    """Return the page's own path without the slash at its end, a deployment's sub-path included."""
    path: str = request.scope.get("root_path", "")
    return path.rstrip("/")


def airflow_path(request: Request) -> str:
    """Return the path under which Airflow's own UI lies, without a slash at its end."""
    return base_path(request).removesuffix(PREFIX)


def address(base: str, path: str, parameters: Mapping[str, Any]) -> str:
    """Return an address on this site; parameters that are None or empty are left out, lists are repeated."""
    given = {name: value for name, value in parameters.items() if value not in (None, "", [])}
    query = urlencode(given, doseq=True)
    return f"{base}/{quote(path, safe='/')}{'?' if query else ''}{query}"


def own_address(request: Request) -> str:
    """Return the path and query of a request, made anew from its parts: whatever they are, they lead to this page."""
    base, parameters = base_path(request), request.query_params.multi_items()
    path = request.scope["path"].removeprefix(base).lstrip("/")
    # Browsers take these out of a path, and what stands before them.
    if {".", ".."}.intersection(path.split("/")):
        return f"{base}/"
    return f"{address(base, path, {})}{'?' if parameters else ''}{urlencode(parameters)}"


def sign_in_address(request: Request) -> str:
    """Return the address of Airflow's login, whichever auth manager has it, that leads back to the request's own."""
    return address(airflow_path(request), "api/v2/auth/login", {"next": own_address(request)})


def error_page(request: Request, status: int, title: str, advice: str) -> HTMLResponse:
    """Return an error as a page: what happened, what to do, and the note that is lost else.

    It needs neither a user nor a store.
    """
    base = base_path(request)
    overview = address(base, "", {"profile": _known_profile(request)})
    sign_in = sign_in_address(request) if status == 401 else None
    body = environment().get_template("error.html").render(
        title=title, advice=advice, note=written_note(request), base=base, overview=overview, sign_in=sign_in,
        status=status,
    )  # fmt: skip
    return HTMLResponse(body, status_code=status)


def _known_profile(request: Request) -> str | None:
    """The profile that the request names, where there is one of that name: the way on must not be this error again."""
    named = request.query_params.get("profile")
    try:
        return next((each.name for each in load_profiles() if each.name == named), None)
    except ConfigurationError:
        return None


def money(amount: Decimal | str | None) -> str:
    """Write an amount with two digits at least, and none dropped of those there are; a dash where there is none."""
    if amount is None:
        return "–"
    return grouped_money(Decimal(amount)).replace("-", "\u2212")


def count(number: int | None) -> str:
    """Write a whole number in groups of three; a dash where there is none."""
    return "–" if number is None else grouped(number)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with what it counts, in the singular or the plural."""
    return f"{count(number)} {worded(number, one, many or f'{one}s')}"


def signed(number: int) -> str:
    """Write a difference of whole numbers with its sign."""
    return f"+{count(number)}" if number > 0 else count(number).replace("-", "\u2212")


def signed_money(amount: Decimal) -> str:
    """Write a difference of amounts with its sign."""
    return f"+{money(amount)}" if amount > 0 else money(amount)


def moment(when: datetime.datetime | None, zone: ZoneInfo) -> str:
    """Write a moment by the market's clock."""
    return "–" if when is None else f"{when.astimezone(zone):%Y-%m-%d %H:%M}"


def day(date: datetime.date) -> str:
    """Write a date with its weekday."""
    return f"{date:%a} {date.day} {date:%b %Y}"


def ago(span: datetime.timedelta | None) -> str:
    """Write how long ago something was, in its largest unit."""
    if span is None:
        return "never"
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}\u00a0{unit} ago"
    return "just now" if seconds < 60 else f"{seconds // 60}\u00a0min ago"


def category_words(name: str) -> str:
    """Write a category for people."""
    return CATEGORY_WORDS.get(name, name)


def state_words(name: str | None) -> str:
    """Write a state, stage or end for people; nothing where there is none."""
    return STATE_WORDS.get(name, name) if name else ""


def sentence(text: str) -> str:
    """Write a text as a sentence begins."""
    return text[:1].upper() + text[1:]
