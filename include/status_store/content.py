"""What an event says, as a hash: by it another content of the same ``statusid`` is told from the one that is held.

Most events are shown once: the store keeps no hash beside them, it makes it of their columns when one is shown again
(``ropo.content_sha256``), and it is made here of what is shown. Both must come to the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from include.status_store.event import Event
from include.status_store.fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.status_store.event import Events

_PLACES = [Event.__struct_fields__.index(field) for field in FIELDS]
_STATUSID = FIELDS.index("statusid")
# Before the hash of its content, in the key of a row without a statusid.
_MADE_UP = "sha256:"


class _Frames(dict[int, str]):
    def __missing__(self, length: int) -> str:
        frame = self[length] = f"{length}:"
        return frame


# Before each text that is hashed stands its length: no two rows may run into the same text.
_frames = _Frames()


def content_sha256s(columns: Sequence[Sequence[str]]) -> list[str]:
    """Return the hash of each row's ten texts, in hex.

    :param columns: the texts, one column for each of :data:`.fields.FIELDS`.
    """
    framed = (part for column in columns for part in (map(_frames.__getitem__, map(len, column)), column))
    return [hashlib.sha256("".join(texts).encode()).hexdigest() for texts in zip(*framed, strict=True)]


def contents(events: Events) -> dict[str, str]:
    """Return the hash of each event's content, in hex, by its ``statusid``; of several with one, the last one's."""
    columns = [[text or "" for text in events.columns[place]] for place in _PLACES]
    columns[_STATUSID] = ["" if text.startswith(_MADE_UP) else text for text in columns[_STATUSID]]
    return dict(zip(events.statusids, content_sha256s(columns), strict=True))


def made_up_statusids(columns: Sequence[Sequence[str]], occurrences: dict[str, int]) -> list[str]:
    """Return each row's ``statusid``; for one that has none the hash of its content, and which of its kind it is.

    :param columns: as of :func:`content_sha256s`, as they came.
    :param occurrences: how often each content without a ``statusid`` was in the answer before; counted on.
    """
    statusids = []
    for statusid, content in zip(columns[_STATUSID], content_sha256s(columns), strict=True):
        if statusid:
            statusids.append(statusid)
        else:
            occurrence = occurrences[content] = occurrences.get(content, 0) + 1
            statusids.append(f"{_MADE_UP}{content}:{occurrence}")
    return statusids
