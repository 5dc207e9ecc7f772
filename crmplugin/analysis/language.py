"""Which language a text is in, by its small words: enough to answer in the language somebody wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache

from crmplugin.analysis.passages import own_text
from crmplugin.analysis.phrases import tokens, word_list

ENOUGH_HITS = 3
CLEAR_SHARE = 3
"""With fewer hits than that, one language must have at least one word in three to itself."""
REMEMBERED, REMEMBERED_CHARS = 8_192, 2_000
"""How many texts up to which length are remembered: every brief asks about the same catalogue and claims."""


def guess_language(text: str | None) -> str | None:
    """ISO 639-1 code of the language of what the writer wrote (history and signature left out); None when unclear."""
    return _guess(text or "") if len(text or "") <= REMEMBERED_CHARS else _guess.__wrapped__(text or "")


@lru_cache(maxsize=REMEMBERED)
def _guess(text: str) -> str | None:
    words = [token.word for token in tokens(own_text(text))]
    hits = Counter(language for word in words for language in _languages_of().get(word, ()))
    ranked = hits.most_common(2)
    if not ranked:
        return None
    (best, count), second = ranked[0], ranked[1][1] if len(ranked) > 1 else 0
    # One small word proves little in a line of nouns: "per" is Italian, and English on a price list.
    clear = count >= 2 * max(second, 1) or (second == 0 and count * CLEAR_SHARE >= len(words))
    return best if count > second and (count >= ENOUGH_HITS or clear) else None


@cache
def _languages_of() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for language, table in word_list("stopwords").items():
        for line in table["words"]:
            for token in tokens(line):
                known = found.setdefault(token.word, [])
                if language not in known:
                    known.append(language)
    return {word: tuple(languages) for word, languages in found.items()}
