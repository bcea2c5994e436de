"""Finnish labels and free texts as Ropo's rows carry them. Every person and address is invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

MESSAGE_LABEL = "Viesti"
PAID_LABEL = "Maksettu"
PAYMENT_LABEL = "Maksettu toimeksiantajalle"
DISCOUNT_LABEL = "Kassa-alennus"
PAID_TEXT = "Pääoma maksettu"
UNMAPPED_LABEL = "Selvittelyssä"
UNMAPPED_TEXT = "Lasku on otettu selvittelyyn"

STAGE_LABELS = {
    "invoiced": ("Laskutettu", "Lasku lähetetty vastaanottajalle"),
    "due": ("Erääntynyt", "Eräpäivä ohitettu"),
    "reminded": ("Maksumuistutus", "Maksumuistutus lähetetty"),
    "in_collection": ("Perintä", "Siirretty perintään"),
}
END_LABELS = {
    "credited": ("Hyvitetty", "Lasku hyvitetty"),
    "cancelled": ("Mitätöity", "Lasku mitätöity"),
}

_FIRST_NAMES = (
    "Aino",
    "Eero",
    "Helmi",
    "Ilmari",
    "Kerttu",
    "Lauri",
    "Märta",
    "Onni",
    "Päivi",
    "Sisko",
    "Tyyne",
    "Väinö",
)
_LAST_NAMES = ("Ahokas", "Björklund", "Hyvärinen", "Jääskeläinen", "Korpi", "Mäkelä", "Nyström", "Ylönen", "Öhman")
_STREETS = ("Koivukuja", "Myllytie", "Niittypolku", "Pähkinätie", "Satamakatu", "Tähtitorninrinne", "Ylätörmä")
_TOWNS = ("00990 Helsinki", "20990 Turku", "33990 Tampere", "70990 Kuopio", "90990 Oulu", "65990 Vaasa")
_MESSAGES = (
    "{name} soitti ja kysyi eräpäivästä.\nSovittu: maksaa palkkapäivänä.",
    "Osoitteenmuutos:\n{name}\n{street} {house} A {flat}\n{town}",
    "Asiakas {name} pyytää laskun sähköisenä.\n\nVerkkolaskuosoite puuttuu.",
    "Palautunut posti; uusi osoite {street} {house}, {town}",
    'Maksusuunnitelma tarjottu.\r\n{name}: "maksan kahdessa erässä"',
    "Viesti velalliselta {name}: kiitos, maksettu jo – tarkistakaa",
)


def person(rng: Random) -> str:
    """An invented customer's name."""
    return f"{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}"


def message(rng: Random, name: str) -> str:
    """A free text about the customer, often of several lines.

    :param rng: the data set's generator.
    :param name: the customer's name.
    """
    return rng.choice(_MESSAGES).format(
        name=name,
        street=rng.choice(_STREETS),
        house=rng.randint(1, 80),
        flat=rng.randint(1, 40),
        town=rng.choice(_TOWNS),
    )
