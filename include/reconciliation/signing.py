"""The sign-off of a month: signed by one person when its conditions hold, countersigned by another.

What changes in a signed period is flagged by the reconciliation that finds it, or when a person opens again what was
accepted (:mod:`.break_states`), and stays so. A period with flags may be signed again: that is another sign-off beside
the first.
"""

from __future__ import annotations

import datetime
import hashlib
import unicodedata
from typing import TYPE_CHECKING

import msgspec
from psycopg2.extras import Json

from include.config.wording import counted
from include.reconciliation.break_history import change_in_words
from include.reconciliation.break_states import has_waiting, work_in
from include.reconciliation.recorded import subject
from include.reconciliation.sign_off_conditions import Standing, Unmet, standings, unmet_conditions
from include.status_store.required import required_text
from include.status_store.rows import only_row, structs

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope


class SignOffError(LookupError):
    """The signature or acceptance was refused; nothing was changed.

    :param unmet: the conditions that do not hold, where it is for these.
    """

    def __init__(self, text: str, unmet: list[Unmet] | None = None) -> None:
        super().__init__(text)
        self.unmet = unmet or []


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``ropo.period_sign_off``; its fields are the table's, but the evidence."""

    sign_off_id: int
    profile: str
    period: datetime.date
    signed_by: str
    signed_at: datetime.datetime
    note: str | None
    countersigned_by: str | None
    countersigned_at: datetime.datetime | None
    countersigned_note: str | None


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``ropo.period_sign_off_flag``: what changed after a sign-off.

    :param reconciliation_id: that shows it; None where a person opened an accepted break again.
    :param category: the break's; None where the flag is about a date's result.
    :param note: as it was stored, see :attr:`told`.
    """

    flag_id: int
    at: datetime.datetime
    kind: str
    business_date: datetime.date
    reconciliation_id: int | None
    break_id: int | None
    category: str | None
    note: str

    @property
    def told(self) -> str:
        """The note in words for people; what a person wrote stands as it is."""
        return self.note if self.reconciliation_id is None else change_in_words(self.note, self.category)


class PeriodStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a period stands.

    :param sign_off: the newest; None where it is not signed.
    :param flags: what changed since that one.
    :param dates: and the full comparison, last, where there is one.
    :param unmet: what keeps it from being signed now; what was signed already may have some, see the flags.
    """

    period: datetime.date
    sign_off: SignOff | None
    flags: list[Flag]
    dates: list[Standing]
    unmet: list[Unmet]

    @property
    def accepted_breaks(self) -> list[int]:
        """The ids of the breaks that a signature would take as they are."""
        return sorted({break_id for break_id, _ in self.acceptances})

    @property
    def acceptances(self) -> set[tuple[int, int]]:
        """The id of each of these breaks, with the event by which it stands accepted."""
        return {
            acceptance
            for each in self.dates
            for acceptance in zip(each.accepted_breaks, each.accepted_by_events, strict=True)
        }

    @property
    def fingerprint(self) -> str:
        """What a signature rests on, as a digest: another one where anything of the period was recorded since."""
        flags = [flag.flag_id for flag in self.flags]
        signed = self.sign_off.sign_off_id if self.sign_off else None
        return hashlib.sha256(msgspec.json.encode((self.dates, signed, flags))).hexdigest()


def period_status(
    cursor: Cursor, profile: Profile, period: datetime.date, *, now: datetime.datetime | None = None
) -> PeriodStatus:
    """Return how a period stands. Only reads.

    :param period: the first day of a month.
    :param now: aware; by default the present.
    """
    dates = standings(cursor, profile, period)
    unmet = unmet_conditions(profile, period, dates, now=now or datetime.datetime.now(datetime.UTC))
    newest = read_sign_off(cursor, profile, period)
    flags = _flags(cursor, newest) if newest else []
    return PeriodStatus(period=period, sign_off=newest, flags=flags, dates=dates, unmet=unmet)


def read_sign_off(
    cursor: Cursor, profile: Profile, period: datetime.date, sign_off_id: int | None = None
) -> SignOff | None:
    """Return a period's sign-off of this id, by default the newest; None where it has none."""
    every = _sign_offs(cursor, profile.name, period)
    return next((each for each in every if sign_off_id in (None, each.sign_off_id)), None)


def earlier_sign_offs(cursor: Cursor, sign_off: SignOff) -> list[tuple[SignOff, list[Flag]]]:
    """Return the sign-offs beside which a period was signed again, the newest first, each with what flagged it."""
    every = _sign_offs(cursor, sign_off.profile, sign_off.period)
    return [(each, _flags(cursor, each)) for each in every if each.sign_off_id < sign_off.sign_off_id]


def sign(
    cursor: Cursor,
    profile: Profile,
    period: datetime.date,
    *,
    by: str,
    note: str | None = None,
    now: datetime.datetime | None = None,
    shown: str | None = None,
) -> int:
    """Sign a period off.

    :param cursor: of the store, in a transaction that sees what others commit (read committed, the default).
    :param period: the first day of a month.
    :param shown: the ``fingerprint`` of the status that was shown to that person: nothing newer is signed unseen.
    :return: the sign-off's id.
    :raises SignOffError: if a condition does not hold (``unmet``), if it is signed and nothing changed since, or if
        something was recorded since it was shown.
    :raises ValueError: if the name is empty.
    """
    by, note = required_text("by", by), (note or "").strip() or None
    status = _settled_status(cursor, profile, period, now)
    if status.sign_off and not status.flags:
        raise SignOffError(f"{_named(profile, period)} was signed by {status.sign_off.signed_by} already")
    _require_met(profile, status)
    _require_shown(profile, status, shown)
    evidence = {
        "dates": [each for each in status.dates if each.scope == "date"],
        "full": next(each for each in status.dates if each.scope == "full"),
        "breaks": status.accepted_breaks,
    }
    cursor.execute(
        "INSERT INTO ropo.period_sign_off (profile, period, signed_by, note, evidence) VALUES (%s, %s, %s, %s, %s) "
        "RETURNING sign_off_id",
        (
            profile.name,
            period,
            by,
            note,
            Json(evidence, dumps=lambda value: msgspec.json.encode(value).decode()),
        ),
    )
    sign_off_id: int = only_row(cursor)[0]
    return sign_off_id


def countersign(
    cursor: Cursor,
    profile: Profile,
    period: datetime.date,
    *,
    by: str,
    note: str | None = None,
    now: datetime.datetime | None = None,
    shown: str | None = None,
) -> int:
    """Countersign a period, as another person than the one who signed it.

    :param shown: as of :func:`sign`.
    :return: the sign-off's id.
    :raises SignOffError: if it is not signed, or countersigned already, or signed by the same person; if something
        changed since it was signed (then it is to be signed again first), or was recorded since it was shown.
    :raises ValueError: if the name is empty.
    """
    by, note = required_text("by", by), (note or "").strip() or None
    status = _settled_status(cursor, profile, period, now)
    signed = status.sign_off
    if signed is None:
        raise SignOffError(f"{_named(profile, period)} is not signed yet")
    if status.flags:
        changed = f"{counted(len(status.flags), 'change was', 'changes were')} found since it was signed"
        raise SignOffError(f"{_named(profile, period)}: {changed}; look at what changed and sign it again first")
    if signed.countersigned_by:
        raise SignOffError(f"{_named(profile, period)} was countersigned by {signed.countersigned_by} already")
    if is_same_person(by, signed.signed_by):
        raise SignOffError(
            f"{_named(profile, period)} was signed by {signed.signed_by}; another person countersigns it"
        )
    _require_met(profile, status)
    _require_shown(profile, status, shown)
    cursor.execute(
        "UPDATE ropo.period_sign_off SET countersigned_by = %s, countersigned_at = clock_timestamp(), "
        "countersigned_note = %s WHERE sign_off_id = %s",
        (by, note, signed.sign_off_id),
    )
    return signed.sign_off_id


def is_same_person(name: str, other: str) -> bool:
    """Tell whether two names are one person's, whatever their case, width and spaces; nobody countersigns their own."""

    def plain(text: str) -> str:
        return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

    return plain(name) == plain(other)


def accept_incompleteness(
    cursor: Cursor,
    profile: Profile,
    date: datetime.date,
    *,
    by: str,
    note: str,
    scope: Scope = "date",
    shown: int | None = None,
) -> int:
    """Accept that a date stays incomplete: its newest reconciliation, for the reasons that it has.

    Later ones of the date are covered too, as long as it is incomplete for these alone and has no other break: the view
    ``ropo.incompleteness_accepted`` says which.

    :param scope: ``full``: the newest full comparison of that date.
    :param shown: the reconciliation that was shown to that person: the reasons of a newer one are not accepted unseen.
    :return: the reconciliation's id.
    :raises SignOffError: if the newest is not incomplete or not the one shown, or is accepted already, or was
        made before the date was over, or if there is none.
    :raises ValueError: if the name or the note is empty.
    """
    by, note = required_text("by", by), required_text("note", note)
    work_in(cursor, profile)
    cursor.execute(
        "SELECT reconciliation_id, verdict, accepted_by, reasons FROM ropo.reconciliation "
        "LEFT JOIN ropo.incompleteness_accepted USING (reconciliation_id) "
        "WHERE reconciliation.profile = %s AND reconciliation.business_date = %s AND reconciliation.scope = %s "
        "ORDER BY reconciliation_id DESC LIMIT 1",
        (profile.name, date, scope),
    )
    found = cursor.fetchone()
    what = subject(profile.name, date, scope)
    if found is None:
        raise SignOffError(f"{what}: there is no reconciliation")
    reconciliation_id, verdict, accepted_by, reasons = found
    if shown is not None and reconciliation_id != shown:
        raise SignOffError(
            f"{what}: reconciliation {shown} was shown, and {reconciliation_id} is the newest now; look at its reasons"
        )
    if verdict != "incomplete":
        raise SignOffError(f"{what}: its newest reconciliation ({reconciliation_id}) is {verdict}, not incomplete")
    if accepted_by is not None:
        raise SignOffError(f"{what}: reconciliation {reconciliation_id} was accepted by {accepted_by} already")
    if any(reason["word"] == "day_not_over" for reason in reasons):
        # All that is missing for that alone would count as accepted, once it is missing for another cause.
        raise SignOffError(f"{what}: it was not over when it was compared; run it again, then accept what is missing")
    cursor.execute(
        "INSERT INTO ropo.incompleteness_acceptance "
        "(reconciliation_id, profile, business_date, scope, reasons, accepted_by, note) "
        "SELECT reconciliation_id, profile, business_date, scope, reasons, %s, %s "
        "FROM ropo.reconciliation WHERE reconciliation_id = %s",
        (by, note, reconciliation_id),
    )
    return int(reconciliation_id)


def _settled_status(
    cursor: Cursor, profile: Profile, period: datetime.date, now: datetime.datetime | None
) -> PeriodStatus:
    """Return how a period stands, with what every reconciliation in it means worked in.

    From here to the end of the transaction none changes what was looked at without finding the sign-off. One that was
    recorded before the look, and worked in after it, would stand in the signature's evidence and be flagged as a change
    since: then it is worked in and looked at again. Each session can record one at most meanwhile, and waits.
    """
    while True:
        work_in(cursor, profile)
        status = period_status(cursor, profile, period, now=now)
        if not has_waiting(cursor, profile):
            return status


def _sign_offs(cursor: Cursor, profile: str, period: datetime.date) -> list[SignOff]:
    """Return a period's sign-offs, the newest first: one, and one more each time that it was signed again."""
    cursor.execute(
        f"SELECT {', '.join(SignOff.__struct_fields__)} FROM ropo.period_sign_off "  # noqa: S608 - our own field names
        "WHERE profile = %s AND period = %s ORDER BY sign_off_id DESC",
        (profile, period),
    )
    return structs(cursor, SignOff)


def _flags(cursor: Cursor, sign_off: SignOff) -> list[Flag]:
    cursor.execute(
        "SELECT flag_id, at, kind, flag.business_date, flag.reconciliation_id, break_id, known.category, flag.note "
        "FROM ropo.period_sign_off_flag AS flag LEFT JOIN ropo.reconciliation_break AS known USING (break_id) "
        "WHERE sign_off_id = %s ORDER BY flag_id",
        (sign_off.sign_off_id,),
    )
    return structs(cursor, Flag)


def _require_met(profile: Profile, status: PeriodStatus) -> None:
    if status.unmet:
        texts = "; ".join(each.why for each in status.unmet)
        raise SignOffError(f"{_named(profile, status.period)} cannot be signed: {texts}", status.unmet)


def _require_shown(profile: Profile, status: PeriodStatus, shown: str | None) -> None:
    if shown is not None and shown != status.fingerprint:
        why = "it is not as it was shown; something was recorded meanwhile: look at it again, then sign"
        raise SignOffError(f"{_named(profile, status.period)}: {why}")


def _named(profile: Profile, period: datetime.date) -> str:
    return f"Profile {profile.name}, {period:%Y-%m}"
