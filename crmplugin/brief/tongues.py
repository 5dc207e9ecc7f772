"""Which language each text of a brief is in: a text of another language never enters a message.

Long texts show it by their words. Short ones do not, so they count as the language of whoever keeps them: the
catalogue's, the colleague's, the customer's; or the one that the record itself names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crmplugin.analysis.language import guess_language
from crmplugin.brief.recipient import language_code, owner_of
from crmplugin.domain.crm import Contact, Context
from crmplugin.domain.fact import Fact

FREE_TEXT = ("text", "claim", "quote_text")
ENOUGH_WORDS = 8
"""Words from which on the guess of a language is trusted."""
CATALOGUE = frozenset({"products", "claims", "articles", "offers"})


@dataclass(frozen=True, slots=True)
class Tongues:
    """The language of a text, and the ones that short texts are in when their words do not tell.

    customer: of the person written to. declared: id of a claim or feature -> the language its record names.
    """

    language: str
    catalogue: str | None
    colleague: str | None
    customer: str | None = None
    declared: Mapping[str, str] = field(default_factory=dict)

    def is_foreign(self, fact: Fact) -> bool:
        """Whether a free text would put another language into the message. A question is never shown as it stands."""
        if fact.kind not in FREE_TEXT or ".question" in fact.id or fact.id.endswith((".name", ".title", ".subject")):
            return False
        if named := self._declared(fact):
            return named != self.language
        guess, home = guess_language(fact.value), self._home(fact)
        if len(fact.value.split()) < ENOUGH_WORDS and guess not in (self.language, home):
            guess = home
        return (guess or home or self.language) != self.language

    def _declared(self, fact: Fact) -> str | None:
        return self.declared.get(fact.id) or self.declared.get(fact.id.rpartition(".")[0])

    def _home(self, fact: Fact) -> str | None:
        source = source_of(fact)
        if source in CATALOGUE:
            return self.catalogue
        if fact.basis.type == "stated_by_customer":
            return self.customer
        return self.colleague if source in ("activities", "deals") or fact.basis.type == "stated_by_rep" else None


def read_tongues(context: Context, language: str, contact: Contact | None) -> Tongues:
    """The languages around one message."""
    company = context.company.language if context.company else None
    customer = language_code(contact.language if contact else None) or language_code(company)
    return Tongues(language, *home_languages(context), customer, dict(_declared(context)))


def _declared(context: Context) -> Iterator[tuple[str, str]]:
    """Id of each feature and claim that names its language, with the code."""
    for product in context.products:
        for n, feature in enumerate(product.features, start=1):
            if code := language_code(feature.language):
                yield f"{product.id}.feature{n}", code
    for claim in context.claims:
        if code := language_code(claim.language):
            yield claim.id, code


def home_languages(context: Context) -> tuple[str | None, str | None]:
    """The language of our catalogue (None when its words do not tell), and that of the colleague who signs."""
    owner = owner_of(context)
    features = [f for p in context.products for f in p.features if not f.language]
    texts = [p.description for p in context.products] + [x for f in features for x in (f.feature, f.benefit)]
    texts += [claim.text for claim in context.claims if not claim.language]
    long = [text for text in texts if text and len(text.split()) >= ENOUGH_WORDS]
    spoken = Counter(code for text in long if (code := guess_language(text)))
    colleague = language_code(owner.language) if owner else None
    if spoken:
        return spoken.most_common(1)[0][0], colleague
    return guess_language(" ".join(text for text in texts if text)), colleague


def source_of(fact: Fact) -> str | None:
    """The collection a fact comes from."""
    return fact.source[0].object if fact.source else None
