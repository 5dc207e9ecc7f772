"""The facts of one brief in English and in German, and true sentences over them, typed by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from crmplugin.checking.check import check_text
from crmplugin.checking.names import TenantNames, build_index
from crmplugin.domain.brief import Brief, Decision, Plan, Recipient, Request, Sender, Signals
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import CheckedSentence, Report, Sentence
from crmplugin.domain.fact import Basis, Fact, Source
from crmplugin.ports import Name

TODAY = date(2026, 3, 11)
COMPUTED = Basis("computed")
ASKED = Basis("stated_by_customer")
NOTED = Basis("stated_by_rep")
APPROVED = Basis("approved_copy")


def make_fact(id: str, kind: str, label: str, value: str, display: str | None = None, **more: object) -> Fact:
    return Fact(id, kind, label, value, display if display is not None else value, **more)  # type: ignore[arg-type]


def from_activity(id: str) -> tuple[Source, ...]:
    return (Source("activities", id, "body"),)


EN = (
    make_fact("C-1.name", "person", "contact", "Dana Reyes"),
    make_fact("CO-1.name", "org", "company", "Tidewater Utilities"),
    make_fact("U-1.name", "person", "sales rep", "Jonas Brandt"),
    make_fact("seller.name", "org", "our company", "Halden Controls GmbH"),
    make_fact("Q-118.number", "doc_id", "quote", "Q-118"),
    make_fact("Q-118.valid_until", "date", "quote Q-118 valid until", "2026-03-25", "25 March"),
    make_fact("Q-118.sent_on", "date", "quote Q-118 sent on", "2026-03-02", "2 March"),
    make_fact("Q-118.total", "money", "total of quote Q-118", "26505.00", "€26,505.00", unit="EUR"),
    make_fact("Q-118.discount_pct", "percent", "discount in quote Q-118", "5", "5%"),
    make_fact("Q-118.line1.quantity", "quantity", "FlowMeter 3000 in quote Q-118", "12"),
    make_fact("Q-118.line1.product", "product", "product in quote Q-118, line 1", "FlowMeter 3000"),
    make_fact("Q-118.line1.unit_price", "money", "unit price, line 1", "1875.50", "€1,875.50", unit="EUR"),
    make_fact("Q-118.line2.quantity", "quantity", "CAL-1 in quote Q-118", "10", "ten"),
    make_fact("Q-118.line2.product", "product", "product in quote Q-118, line 2", "CAL-1"),
    make_fact("FM-3000.name", "product", "product", "FlowMeter 3000"),
    make_fact("FM-3000.lead_time", "duration", "lead time of FlowMeter 3000", "6..8", "6 to 8 weeks", unit="week"),
    make_fact(
        "FM-3000.description", "text", "what FlowMeter 3000 is", "Inline meter with a 10 bar rating and Modbus output"
    ),
    make_fact("CAL-1.name", "product", "product", "CAL-1"),
    make_fact(
        "CAL-1.description",
        "text",
        "what CAL-1 includes",
        "includes an ISO 17025 certificate per device",
        basis=APPROVED,
    ),
    make_fact("O-7.number", "doc_id", "order", "O-7"),
    make_fact("O-7.ordered_on", "date", "order O-7 placed on", "2025-11-04", "4 November 2025"),
    make_fact("O-7.delivered_on", "date", "order O-7 delivered on", "2026-02-27", "27 February"),
    make_fact("O-7.total", "money", "total of order O-7", "9600.00", "€9,600.00", unit="EUR"),
    make_fact("GK-12.name", "product", "product", "GK-12"),
    make_fact("CO-1/GK-12.count", "count", "orders of GK-12", "4", "four", basis=COMPUTED),
    make_fact("CO-1/GK-12.last_on", "date", "last order of GK-12", "2025-12-04", "4 December"),
    make_fact(
        "CO-1/GK-12.days_since",
        "duration",
        "days since the last order of GK-12",
        "97",
        "97 days",
        unit="day",
        basis=COMPUTED,
    ),
    make_fact(
        "CO-1/GK-12.usual_gap",
        "duration",
        "usual gap between orders of GK-12",
        "30",
        "30 days",
        unit="day",
        basis=COMPUTED,
    ),
    make_fact("T-2201.number", "doc_id", "ticket", "T-2201"),
    make_fact("T-2201.owner_name", "person", "owner of ticket T-2201", "Lena Vogt"),
    make_fact(
        "T-2201.next_update_at",
        "datetime",
        "next update on ticket T-2201",
        "2026-03-11T16:00:00+00:00",
        "11 March, 16:00 GMT",
    ),
    make_fact("SLOT-1.on", "slot", "answer by", "2026-03-13", "Friday 13 March"),
    make_fact("SLOT-2.starts_at", "slot", "free for a call", "2026-03-17T09:00:00+00:00", "Tuesday 17 March, 10:00"),
    make_fact("K-1.name", "text", "contract", "service contract"),
    make_fact("K-1.ends_on", "date", "service contract ends on", "2026-05-31", "31 May"),
    make_fact("CL-3.text", "claim", "approved claim", "Most customers calibrate once a year", basis=APPROVED),
    make_fact(
        "A-9.item1", "text", "meeting note", "we ship two sample meters", basis=NOTED, source=from_activity("A-9")
    ),
    make_fact("A-9.item1.quantity", "quantity", "sample meters to ship", "2", "two", source=from_activity("A-9")),
    make_fact("A-9.item1.due", "date", "sample meters due", "2026-03-20", "20 March", source=from_activity("A-9")),
    make_fact("A-9.on", "date", "date of our meeting", "2026-03-10", "10 March", source=from_activity("A-9")),
    make_fact(
        "A-31.question1",
        "quote_text",
        "question of 6 March",
        "Does the price include calibration certificates?",
        trust="untrusted",
        basis=ASKED,
        source=from_activity("A-31"),
    ),
    make_fact(
        "A-31.question2",
        "quote_text",
        "question of 6 March",
        "What is the lead time for the FlowMeter 3000?",
        trust="untrusted",
        basis=ASKED,
        source=from_activity("A-31"),
    ),
    make_fact("A-31.on", "date", "date of your message", "2026-03-06", "6 March", source=from_activity("A-31")),
    make_fact("seller.website", "link", "our website", "https://halden.example/docs"),
    make_fact("U-1.phone", "text", "phone of the sales rep", "+49 30 5550123"),
    make_fact("D-1.name", "text", "deal", "Tidewater plant two rollout", visibility="internal"),
    make_fact("D-1.amount", "money", "amount of the deal", "48000.00", "€48,000.00", unit="EUR", visibility="internal"),
    make_fact("D-1.floor_price", "money", "floor price", "20137.00", "€20,137.00", unit="EUR", visibility="internal"),
    make_fact("D-1.limit_pct", "percent", "limit", "16.67", "16.67%", visibility="internal"),
    make_fact("U-9.name", "person", "approver", "Greta Olsen", visibility="internal"),
    make_fact("FM-3000.cost", "money", "cost", "1212.00", "€1,212.00", unit="EUR", visibility="internal"),
)

DE = (
    make_fact("C-1.name", "person", "Kontakt", "Anna Schmitt"),
    make_fact("CO-1.name", "org", "Firma", "Brauerei Hofmann KG"),
    make_fact("U-1.name", "person", "Vertrieb", "Jonas Brandt"),
    make_fact("seller.name", "org", "unsere Firma", "Halden Controls GmbH"),
    make_fact("Q-118.number", "doc_id", "Angebot", "Q-118"),
    make_fact("Q-118.valid_until", "date", "Angebot Q-118 gültig bis", "2026-03-25", "25. März"),
    make_fact("Q-118.sent_on", "date", "Angebot Q-118 gesendet am", "2026-03-02", "2. März"),
    make_fact("Q-118.total", "money", "Summe des Angebots Q-118", "26505.00", "26.505,00 €", unit="EUR"),
    make_fact("Q-118.discount_pct", "percent", "Rabatt im Angebot Q-118", "5", "5 %"),
    make_fact("Q-118.line1.quantity", "quantity", "FlowMeter 3000 im Angebot Q-118", "12"),
    make_fact("Q-118.line1.product", "product", "Produkt im Angebot Q-118, Zeile 1", "FlowMeter 3000"),
    make_fact("Q-118.line1.unit_price", "money", "Einzelpreis, Zeile 1", "1875.50", "1.875,50 €", unit="EUR"),
    make_fact("FM-3000.name", "product", "Produkt", "FlowMeter 3000"),
    make_fact("FM-3000.lead_time", "duration", "Lieferzeit FlowMeter 3000", "6..8", "6 bis 8 Wochen", unit="week"),
    make_fact("CAL-1.name", "product", "Produkt", "CAL-1"),
    make_fact(
        "CAL-1.description", "text", "was CAL-1 enthält", "enthält ein ISO-17025-Zertifikat je Gerät", basis=APPROVED
    ),
    make_fact("O-7.number", "doc_id", "Auftrag", "O-7"),
    make_fact("O-7.ordered_on", "date", "Auftrag O-7 vom", "2025-11-04", "4. November 2025"),
    make_fact("O-7.delivered_on", "date", "Auftrag O-7 geliefert am", "2026-02-27", "27. Februar"),
    make_fact("GK-12.name", "product", "Produkt", "GK-12"),
    make_fact("CO-1/GK-12.count", "count", "Bestellungen von GK-12", "4", "vier", basis=COMPUTED),
    make_fact("CO-1/GK-12.last_on", "date", "letzte Bestellung von GK-12", "2025-12-04", "4. Dezember"),
    make_fact(
        "CO-1/GK-12.days_since",
        "duration",
        "Tage seit der letzten Bestellung von GK-12",
        "97",
        "97 Tage",
        unit="day",
        basis=COMPUTED,
    ),
    make_fact(
        "CO-1/GK-12.usual_gap", "duration", "üblicher Abstand von GK-12", "30", "30 Tage", unit="day", basis=COMPUTED
    ),
    make_fact("T-2201.number", "doc_id", "Ticket", "T-2201"),
    make_fact("T-2201.owner_name", "person", "zuständig für Ticket T-2201", "Lena Vogt"),
    make_fact(
        "T-2201.next_update_at",
        "datetime",
        "nächster Stand zu Ticket T-2201",
        "2026-03-11T16:00:00+01:00",
        "11. März, 16:00 Uhr",
    ),
    make_fact("SLOT-1.on", "slot", "Antwort bis", "2026-03-13", "Freitag, 13. März"),
    make_fact(
        "SLOT-2.starts_at",
        "slot",
        "frei für ein Gespräch",
        "2026-03-17T09:00:00+00:00",
        "Dienstag, 17. März, 10:00 Uhr",
    ),
    make_fact("K-1.name", "text", "Vertrag", "Wartungsvertrag"),
    make_fact("K-1.ends_on", "date", "Wartungsvertrag endet am", "2026-05-31", "31. Mai"),
    make_fact(
        "A-9.item1",
        "text",
        "Notiz",
        "wants 2 sample FM-3000 by 20 March, we ship",
        basis=NOTED,
        source=from_activity("A-9"),
    ),
    make_fact("A-9.item1.quantity", "quantity", "Muster", "2", "zwei", source=from_activity("A-9")),
    make_fact(
        "A-9.item1.due", "date", "Muster fällig am", "2026-03-20", "Freitag, 20. März 2026", source=from_activity("A-9")
    ),
    make_fact(
        "A-9.item2.due", "date", "Entscheidung am", "2026-04-02", "Donnerstag, 2. April", source=from_activity("A-9")
    ),
    make_fact("A-9.on", "date", "Tag unseres Gesprächs", "2026-03-10", "10. März", source=from_activity("A-9")),
    make_fact(
        "A-31.question1",
        "quote_text",
        "Frage vom 6. März",
        "Sind die Kalibrierzertifikate im Preis enthalten?",
        trust="untrusted",
        basis=ASKED,
        source=from_activity("A-31"),
    ),
    make_fact("A-31.on", "date", "Tag Ihrer Nachricht", "2026-03-06", "6. März", source=from_activity("A-31")),
    make_fact("D-1.amount", "money", "Betrag", "48000.00", "48.000,00 €", unit="EUR", visibility="internal"),
    make_fact("D-1.floor_price", "money", "Untergrenze", "20137.00", "20.137,00 €", unit="EUR", visibility="internal"),
    make_fact("D-1.limit_pct", "percent", "Grenze", "16.67", "16,67 %", visibility="internal"),
    make_fact("U-9.name", "person", "Freigabe", "Greta Olsen", visibility="internal"),
)

TENANT = (
    Name("company", "CO-2", "CO-2", "Kestrel Foods"),
    Name("company", "CO-3", "CO-3", "Nordtek AB"),
    Name("company", "CO-1", "CO-1", "Tidewater Utilities"),
    Name("company", "CO-4", "CO-4", "Target"),
    Name("contact", "C-9", "CO-2", "Amir Shah"),
    Name("contact", "C-8", "CO-3", "Maria Lindqvist"),
    Name("contact", "C-2", "CO-1", "Hanna Schmidt"),
    Name("product", "FM-300", None, "FlowMeter 300"),
    Name("product", "FM-300", None, "FM-300"),
    Name("product", "FM-3000", None, "FlowMeter 3000"),
    Name("product", "FM-3000", None, "FM-3000"),
    Name("product", "PX-9", None, "PressureGuard 9"),
    Name("deal", "D-7", "CO-2", "Kestrel line three"),
)


def make_index(*more: Name) -> TenantNames:
    return build_index([*TENANT, *more])


INDEX = make_index()


def make_brief(facts: tuple[Fact, ...] = EN, language: str = "en", **more: object) -> Brief:
    """A brief for Dana Reyes (or Anna Schmitt) with a plan; `plan_...` keys change the plan, others the brief."""
    plan = {k[5:]: more.pop(k) for k in list(more) if k.startswith("plan_")}
    subject = Subject("deal", "D-1")
    values: dict[str, object] = {
        "connection": "local",
        "subject": subject,
        "request": Request("local", "follow_up", subject),
        "as_of": datetime(2026, 3, 11, 9, 0).astimezone(),
        "language": language,
        "locale": {"en": "en_GB", "de": "de_DE"}[language],
        "zone": "Europe/Berlin",
        "send_on": TODAY,
        "decision": Decision("draft"),
        "signals": Signals(),
        "facts": facts,
        "company_id": "CO-1",
        "deal_id": "D-1",
        "plan": Plan("follow_up", "email", language, formal=language == "de", **plan),  # type: ignore[arg-type]
        "recipient": Recipient("C-1", "Dana Reyes" if language == "en" else "Anna Schmitt", "dana@tidewater.example"),
        "sender": Sender("U-1", "Jonas Brandt", email="jonas@halden.example", phone="+49 30 5550123"),
    }
    return Brief(**(values | more))  # type: ignore[arg-type]


def check(
    *sentences: str | Sentence,
    facts: tuple[Fact, ...] | None = None,
    language: str = "en",
    locale: str | None = None,
    audience: str = "customer",
    role: str = "claim",
    names: TenantNames = INDEX,
    brief: Brief | None = None,
    send_on: date = TODAY,
    style: bool = True,
) -> Report:
    """The report on sentences given as text or as Sentence."""
    own = {"en": "en_GB", "de": "de_DE"}.get(language, f"{language}_{language.upper()}")
    rows = [s if isinstance(s, Sentence) else Sentence(s, role) for s in sentences]  # type: ignore[arg-type]
    given = facts if facts is not None else (DE if language == "de" else EN)
    return check_text(
        rows,
        given,
        language=language,
        locale=locale or own,
        audience=audience,
        send_on=send_on,
        zone="Europe/Berlin",
        names=names,
        brief=brief,
        style=style,
    )


def check_one(text: str | Sentence, **more: object) -> CheckedSentence:
    return check(text, **more).sentences[0]  # type: ignore[arg-type]


def verdict_of(text: str | Sentence, **more: object) -> str:
    return check_one(text, **more).sentence.verdict


def dec(text: str) -> Decimal:
    return Decimal(text)
