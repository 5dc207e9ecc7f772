"""Briefs for writing tests: the account of `tests.builders` with something of everything, one type at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crmplugin.brief.facts import make_facts
from crmplugin.brief.plan import make_plan
from crmplugin.domain.brief import (
    Brief,
    Decision,
    DueItem,
    Promise,
    Question,
    Recipient,
    Request,
    Sender,
    Signals,
    TicketState,
)
from crmplugin.domain.crm import Article, Claim, Context, Feature, QuoteLine, Slot
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    TODAY,
    at,
    make_activity,
    make_company,
    make_contact,
    make_context,
    make_contract,
    make_meeting,
    make_order,
    make_price,
    make_product,
    make_quote,
    make_slot,
    make_task,
    make_ticket,
    make_user,
)

LOCALES = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "es": "es_ES"}
WORDS = {
    "en": {
        "description": "measures flow in pipes and shows it on a small display on the device",
        "feature": "the device keeps its own record of what it measures and shows it to you",
        "benefit": "you see a fault on the day it begins and you do not have to search for it",
        "claim": "Each device comes with its own certificate, and it is valid for the whole device",
        "promise": "we will send you the drawing and the list of the parts by Friday",
        "their_promise": "we will send you the order and the name of the person who signs it",
        "article": "Switch the device off and wait for one minute. Then switch it on and check the light.",
        "title": "Restart the device",
    },
    "de": {
        "description": "misst den Durchfluss in der Leitung und zeigt ihn auf der Anzeige am Gerät",
        "feature": "das Gerät speichert die Werte der letzten Tage und zeigt sie Ihnen auf der Anzeige",
        "benefit": "Sie sehen einen Fehler an dem Tag, an dem er entsteht, und müssen nicht lange suchen",
        "claim": "Jedes Gerät kommt mit einem eigenen Zertifikat, und das gilt für das ganze Gerät",
        "promise": "wir schicken Ihnen die Zeichnung und die Liste der Teile bis Freitag",
        "their_promise": "wir schicken Ihnen die Bestellung und den Namen der Person, die sie unterschreibt",
        "article": "Schalten Sie das Gerät aus und warten Sie eine Minute. Dann prüfen Sie die Anzeige.",
        "title": "Gerät neu starten",
    },
    "fr": {
        "description": "mesure le débit dans la conduite et le montre sur le petit écran de l’appareil",
        "feature": "l’appareil garde les valeurs des derniers jours et les montre sur son écran",
        "benefit": "vous voyez un défaut le jour où il apparaît et vous n’avez pas à le chercher",
        "claim": "Chaque appareil est livré avec son propre certificat, et il vaut pour tout l’appareil",
        "promise": "nous vous envoyons le plan et la liste des pièces pour vendredi",
        "their_promise": "nous vous envoyons la commande et le nom de la personne qui la signe",
        "article": "Éteignez l’appareil et attendez une minute. Ensuite, rallumez-le et regardez le voyant.",
        "title": "Redémarrer l’appareil",
    },
    "es": {
        "description": "mide el caudal en la tubería y lo muestra en la pequeña pantalla del equipo",
        "feature": "el equipo guarda los valores de los últimos días y los muestra en su pantalla",
        "benefit": "usted ve un fallo el día en que aparece y no tiene que buscarlo",
        "claim": "Cada equipo llega con su propio certificado, y este vale para todo el equipo",
        "promise": "le enviamos el plano y la lista de las piezas para el viernes",
        "their_promise": "les enviamos el pedido y el nombre de la persona que lo firma",
        "article": "Apague el equipo y espere un minuto. Después enciéndalo y mire la luz.",
        "title": "Reiniciar el equipo",
    },
}


class Calm:
    """A scan that finds nothing."""

    suspicious = False
    rules: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A decision made by hand."""

    kind: Any = "follow_up"
    type: Any = None
    channel: Any = "email"
    touch: int = 1
    send_on: date = TODAY


def make_account(language: str = "en", **changes: Any) -> Context:
    """The account with quote, orders, contract, ticket, slots, claims and talks, its texts in one language."""
    words = WORDS[language]
    given: dict[str, Any] = {
        "company": make_company(customer_since=date(2019, 3, 11)),
        "contacts": (make_contact(language=language),),
        "users": (make_user(title="Sales", phone="+49 30 5557 0100", language=language),),
        "quotes": (make_quote(lines=_lines()),),
        "orders": _orders(),
        "contracts": (make_contract(),),
        "tickets": (make_ticket(), make_ticket("T-1800", status="resolved", opened_at=at("2025-11-03"))),
        "products": _products(words),
        "prices": (make_price("P-2", valid_from=date(2026, 4, 1), product_id="GK-12"),),
        "slots": (make_slot(), Slot("SLOT-2", "meeting", "U-1", at("2026-03-17", "09:00"), at("2026-03-17", "10:00"))),
        "claims": (Claim("CL-3", words["claim"], "test report", ("FM-300", "FM-3000"), date(2026, 12, 31)),),
        "articles": (Article("ART-1", words["title"], words["article"], language, ("FM-3000",), None, True),),
    }
    return make_context(*_talks(words), **(given | changes))


def _lines() -> tuple[QuoteLine, ...]:
    return (
        QuoteLine("L1", "FM-300", None, Decimal(10), Decimal("2400.00")),
        QuoteLine("L2", "CAL-1", None, Decimal(10), Decimal("390.00")),
    )


def _orders() -> tuple[Any, ...]:
    days = ("2025-09-05", "2025-10-05", "2025-11-04", "2025-12-04")
    return tuple(
        make_order(f"O-{n}", ordered_at=at(day), delivered_at=at("2026-03-02") if n == 4 else None)
        for n, day in enumerate(days, start=1)
    )


def _products(words: dict[str, str]) -> tuple[Any, ...]:
    feature = Feature(feature=words["feature"], benefit=words["benefit"])
    return (
        make_product("FM-300", lead_time="3 weeks", description=words["description"]),
        make_product(
            "FM-3000", name="FlowMeter 3000", lead_time="6-8 weeks", features=(feature,), compatible_with=("GK-12",)
        ),
        make_product("GK-12", name="Gasket kit GK-12", category="spares"),
        make_product("CAL-1", name="Calibration CAL-1", category="services"),
    )  # fmt: skip


def _talks(words: dict[str, str]) -> tuple[Any, ...]:
    return (
        make_activity("A-20", at=at("2026-02-20"), direction="outbound", body=words["promise"] + ".", user_id="U-1"),
        make_activity("A-21", at=at("2026-02-24"), body=words["their_promise"] + "."),
        make_activity("A-31", body="Does the price include calibration?"),
        make_meeting("A-50"),
        make_task("A-60"),
    )


def make_signals(language: str = "en", **changes: Any) -> Signals:
    """Every signal set, as if all of it were due today."""
    words = WORDS[language]
    given: dict[str, Any] = {
        "last_in": at("2026-03-06"),
        "last_in_id": "A-31",
        "last_out_id": "A-20",
        "quote_id": "Q-118",
        "quote_days_left": 14,
        "ticket": TicketState(hold=True, severe_ticket_id="T-2201", open_ticket_ids=("T-2201",)),
        "meeting_id": "A-50",
        "renewal_contract_id": "K-1",
        "delivered_order_id": "O-4",
        "due_items": (_due(),),
        "promises_us": (Promise("us", words["promise"], date(2026, 2, 27), "A-20", "body", True, 8),),
        "promises_them": (Promise("them", words["their_promise"], date(2026, 3, 9), "A-21", "body", True, 2),),
        "event": {"name": "price_change", "product_id": "GK-12", "price_id": "P-2", "on": "2026-04-01"},
        "relationship": {"name": "anniversary", "on": "2026-03-11", "years": 7},
    }
    return Signals(**(given | changes))


def _due() -> DueItem:
    return DueItem(
        "GK-12", 4, date(2025, 9, 5), date(2025, 12, 4), 97, Decimal(30), Decimal(36), Decimal("2.69"),
        "lapsed", True, "gap", ("O-1", "O-2", "O-3", "O-4"),
    )  # fmt: skip


def ask(text: str, *, activity_id: str = "A-31", n: int = 1, day: datetime | None = None) -> Question:
    return Question(activity_id, n, text, "C-1", day or at("2026-03-06"))


def make_brief(
    type_: str | None = None, *, kind: Any = "follow_up", language: str = "en", formal: bool | None = None,
    channel: Any = "email", touch: int = 1, context: Context | None = None, signals: Signals | None = None,
    population: Population | None = None, recent: tuple[str, ...] = (), **request: Any,
) -> Brief:  # fmt: skip
    """The brief of one type in one language; `decision.reason` names what is missing when there is no plan."""
    context = context or make_account(language)
    signals = signals or make_signals(language)
    formal = language != "en" if formal is None else formal
    asked = Request("local", kind, context.subject, type_, language=language, **request)  # type: ignore[arg-type]
    choice = Chosen(kind, type_, channel, touch)
    contact = context.contacts[0]
    sheet = make_facts(
        context, signals, population or Population(), asked,
        kind=kind, type_=type_, contact=contact, language=language, locale=LOCALES[language], zone="Europe/London",
        now=NOW, send_on=TODAY, scan=lambda text: Calm(),
    )  # fmt: skip
    plan, missing = make_plan(
        context, signals, choice, sheet, request=asked, language=language, formal=formal, contact=contact,
        population=population,
    )  # fmt: skip
    return Brief(
        connection="local", subject=context.subject, request=asked, as_of=NOW, language=language,
        locale=LOCALES[language], zone="Europe/London", send_on=TODAY,
        decision=Decision("draft" if plan else "no_message", reason="; ".join(missing)), signals=signals,
        plan=plan, facts=sheet.facts, missing_info=missing, recipient=make_recipient(), sender=make_sender(),
        recent_texts=recent, deal_id="D-1", company_id="CO-1",
    )  # fmt: skip


def make_recipient(**changes: Any) -> Recipient:
    plain = Recipient(
        "C-1", "Dana Reyes", "dana.reyes@orbis.example", None, "Dana", "Reyes", "Orbis Dairy", "GB", "Europe/London"
    )
    return replace(plain, **changes)


def make_sender(**changes: Any) -> Sender:
    full = Sender(
        user_id="U-1", name="Jonas Brandt", title="Sales", email="jonas.brandt@halden.example",
        phone="+49 30 5557 0100", company="Halden Controls", legal_name="Halden Controls GmbH",
        postal_address="Torstraße 99, 10119 Berlin", website="https://halden.example",
        unsubscribe_url="https://halden.example/unsubscribe",
    )  # fmt: skip
    return replace(full, **changes)
