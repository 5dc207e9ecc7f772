"""Orders to an assistant hidden in text from outside: found, named, and cut out so that what the customer asks remains.

Nothing here is a guarantee: the defence is that a writer has no secrets and no actions, and that its text is checked.
The rules are word lists (`prompts/words/injection.toml`) over folded words, marks of a role, hidden characters and
encoded payloads; each is linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import unquote

from crmplugin.analysis.passages import sentences
from crmplugin.analysis.phrases import PhraseBook, Token, book, fold, tokens, word_list

MAX_SCAN = 100_000
"""Characters looked at; what stands behind is neither read nor kept in `clean`."""

_ENOUGH = 2
_MAX_BLOCK = 4_000

_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u00ad\u034f\u115f\u1160\u3164")
_BIDI = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u202c\u2069\u200e\u200f\u061c")
_BIDI_ORDERS = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
_JOINING_SCRIPTS = re.compile(r"[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1780-\u17ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FLAG = "\U0001f3f4"

_LOOKALIKES = str.maketrans(
    "аеіорсухһԁѕјӏвкмнтАЕІОРСУХЅЈВКМНТԛԝαεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɡɩℓ",
    "aeiopcyxhdsjlbkmhtAEIOPCYXSJBKMHTqwaeiknoptuxABEZHIKMNOPTYXgil",
)
_LEET = str.maketrans("0134578", "oieasztb"[:7])
_MIXED = re.compile(r"[a-z][0134578]|[0134578][a-z]")

_URL = re.compile(r"(?:https?|hxxps?|ftp)://[^\s<>\"]{1,2000}|\bwww\.[^\s<>\"]{1,2000}", re.IGNORECASE)
_ROLE_MARKS = re.compile(
    r"<\|[\w ]{2,24}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|instructions?|prompt|assistant|sys|im_start|im_end)>"
    r"|#{2,4} ?(?:instruction|system|response|human|assistant|new instruction|prompt)s?\b ?:?"
    r"|\[(?:system|assistant|admin|instructions?)\](?:\(#\w{0,20}\))?|\[\[?(?:system|prompt|admin) [\w ]{2,30}\]\]?"
    r"|\"role\" ?: ?\"(?:system|assistant|developer)\"|%{3,9}END[\w ]{0,40}%{3,9}|(?<!<)<{2,4}/?[A-Z_ ]{3,30}>{2,4}",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|(?<=[\n.?!>\-*=#_|~\]\"])|(?<=[-*=#_|~>\"] ))[ \t*_#>\[(]{0,6}([A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{1,24}?)[ \]*_)]{0,4}:"
)
_FENCE = re.compile(r"(?:-{3,}|\*{3,}|={3,}|#{3,}|_{3,}|~{3,}|%{3,}|`{3}|\"{3}|'{3}|<{3,}|>{3,}|—{2,})")
_COMMENT = re.compile(r"<!--(?!\[if)(?!<)|\[//\]: ?# ?|\[comment\]: ?<|/\*")
_HIDDEN_STYLE = re.compile(
    r"display ?: ?none|font-size ?: ?0(?:px|pt|em)?\b|visibility ?: ?hidden|opacity ?: ?0\b"
    r"|color ?: ?(?:white|#f{3}(?:f{3})?)\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[[^\]\n]{0,200}\]\(https?://[^)\s]{1,500}[?&=][^)\s]{0,500}\)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){16,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}|[\w+]){20,}")
_ENTITIES = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};\s?){6,}")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}){6,}")
_MORSE = re.compile(r"(?:[.\-]{1,6}[ /|]{1,3}){12,}[.\-]{1,6}")
_SPACED = re.compile(r"(?<!\w)(?:\w[ .\-_*·]{1,3}){7,400}\w(?!\w)")
_SPACES = re.compile(r"[ \t]{2,}")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text tries: names of the rules, and what to cut, in code points of the text as it came (end excluded).

    `clean` is the text without hidden characters and without the instruction blocks; of a harmless text it is the
    text itself (hidden characters out).
    """

    suspicious: bool
    rules: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    clean: str


@dataclass(frozen=True, slots=True)
class _Sign:
    """One thing found: the rule, how much it weighs (2 is enough), and its place in the visible text."""

    rule: str
    weight: int
    start: int
    end: int
    exact: bool = False
    """Whether just this stretch is to be cut, not the sentence around it."""


@dataclass(frozen=True, slots=True)
class _Visible:
    """The text without hidden characters; `places[i]` is where character i stood; `hidden` the places taken out."""

    text: str
    places: tuple[int, ...]
    hidden: tuple[tuple[int, int], ...]
    secret: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.places[start], self.places[end - 1] + 1


def scan_text(text: str) -> Scan:
    """Looks for instructions to an assistant in a text from outside. Never raises, whatever the text is."""
    return _scan(text[:MAX_SCAN])


@lru_cache(maxsize=128)
def _scan(text: str) -> Scan:
    """Remembered, because questions, promises and mood of one mail each begin with it."""
    seen = _visible(text)
    signs = list(_signs(seen.text))
    hidden = _hidden_signs(seen)
    weights: dict[str, int] = {}
    for sign in [*signs, *hidden]:
        weights[sign.rule] = max(weights.get(sign.rule, 0), sign.weight)
    if sum(weights.values()) < _ENOUGH:
        return Scan(False, (), (), seen.text)
    blocks = _blocks(seen.text, _to_cut(seen.text, signs))
    spans = [seen.span(start, end) for start, end in blocks] + (list(seen.hidden) if hidden else [])
    return Scan(True, tuple(sorted(weights)), _merge(spans), _without(seen.text, blocks))


# Hidden characters


def _visible(text: str) -> _Visible:
    kept, places, hidden, secret = [], [], [], []
    joining = _JOINING_SCRIPTS.search(text) is not None
    for i, c in enumerate(text):
        kind = _hidden_kind(text, i, c, joining=joining)
        if kind is None:
            kept.append(c)
            places.append(i)
            continue
        if kind == "tag":
            secret.append(chr(ord(c) - 0xE0000))
        if kind != "quiet":
            hidden.append((i, i + 1))
    return _Visible("".join(kept), tuple(places), _merge(hidden), "".join(secret))


def _hidden_kind(text: str, i: int, c: str, *, joining: bool) -> str | None:
    """None for a character to keep; "quiet" for one that is taken out without suspicion; else what it is."""
    if c < "\u00ad":
        return None
    if "\U000e0020" <= c <= "\U000e007f":
        return None if _in_flag(text, i) else "tag"
    if "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef":
        return "selector" if i and _is_selector(text[i - 1]) else None
    if c in _BIDI:
        return None if joining else ("bidi" if c in _BIDI_ORDERS else "quiet")
    if c not in _ZERO_WIDTH:
        return None
    if c in "\u200c\u200d" and (joining or _beside_emoji(text, i)):
        return None
    return "zero_width" if c != "\u00ad" and _inside_word(text, i) else "quiet"


def _in_flag(text: str, i: int) -> bool:
    """Whether a tag character belongs to the flag of a region: a black flag at most seven places before."""
    return _FLAG in text[max(0, i - 7) : i]


def _is_selector(c: str) -> bool:
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"


def _beside_emoji(text: str, i: int) -> bool:
    return i > 0 and (ord(text[i - 1]) > 0x2000 or ord(text[min(i + 1, len(text) - 1)]) > 0x2000)


def _inside_word(text: str, i: int) -> bool:
    """Whether letters stand right before and after, other hidden characters left aside."""
    left, right = i - 1, i + 1
    while left >= 0 and i - left < 40 and text[left] in _ZERO_WIDTH:
        left -= 1
    while right < len(text) and right - i < 40 and text[right] in _ZERO_WIDTH:
        right += 1
    return left >= 0 and right < len(text) and text[left].isalpha() and text[right].isalpha()


def _hidden_signs(seen: _Visible) -> list[_Sign]:
    return [_Sign("hidden_characters", _ENOUGH, 0, 0)] if seen.hidden or seen.secret.strip() else []


# What is looked for


def _signs(text: str) -> Iterator[_Sign]:
    plain = _plain(text)
    row = _words_of(plain)
    yield from _phrase_signs(text, row)
    yield from _role_signs(text)
    yield from _fragment_signs(plain)
    yield from _markup_signs(text)
    yield from _encoded_signs(text)
    yield from _turned_signs(plain)


def _plain(text: str) -> str:
    """The text with look-alike letters made Latin, one character for one; links become one word."""
    same = "".join(c if c < "\u0080" else _single(c) for c in text)
    if sum(c.isascii() and c.isalpha() for c in same) * 2 > sum(c.isalpha() for c in same):
        same = same.translate(_LOOKALIKES)
    return _URL.sub(lambda m: "xlinkx".ljust(len(m.group()), "x") if len(m.group()) > 6 else m.group(), same)


def _single(c: str) -> str:
    folded = unicodedata.normalize("NFKC", c)
    return folded if len(folded) == 1 else c


def _words_of(plain: str) -> tuple[Token, ...]:
    return tuple(_unleet(token) for token in tokens(plain))


def _unleet(token: Token) -> Token:
    """ "1gn0re" as "ignore": digits for letters inside a word of four or more characters."""
    if len(token.word) < 4 or not _MIXED.search(token.word):
        return token
    return Token(token.word.translate(_LEET), token.start, token.end, token.after_break)


def _phrase_signs(text: str, row: Sequence[Token]) -> Iterator[_Sign]:
    for hit in book("injection", "strong").find(row):
        asked = _is_request(text, hit.label, hit.end)
        if not asked and (hit.label != _OFF_TASK or _stands_in_a_mail(text, hit.start, hit.end)):
            yield _Sign(hit.label, _ENOUGH, hit.start, hit.end)
    for hit in book("injection", "weak").find(row):
        if not _is_request(text, hit.label, hit.end):
            yield _Sign(hit.label, 1, hit.start, hit.end)


_OFF_TASK = "off_task"
_MAIL_WORDS = 20


def _stands_in_a_mail(text: str, start: int, end: int) -> bool:
    """Whether an assignment that is no business of ours (an essay, a translation) comes with a mail around it.

    Alone it is a harmless request; in the middle of somebody's mail it is there for a machine.
    """
    first = max(text.rfind(mark, 0, start) for mark in ".?!\n")
    last = min((at for mark in ".?!\n" if (at := text.find(mark, end)) >= 0), default=len(text))
    return len(text[: first + 1].split()) + len(text[last:].split()) >= _MAIL_WORDS


_ASKED_BY_CUSTOMERS = frozenset({"commercial_order", "other_customers", "internal_numbers"})


def _is_request(text: str, rule: str, end: int) -> bool:
    """Whether an order about prices or customers is a customer's plain question: its sentence ends with "?"."""
    if rule not in _ASKED_BY_CUSTOMERS:
        return False
    mark = re.compile(r"[.!?\n]").search(text, end)
    return mark is not None and mark.group() == "?"


def _role_signs(text: str) -> Iterator[_Sign]:
    for mark in _ROLE_MARKS.finditer(text):
        yield _Sign("role_marker", _ENOUGH, mark.start(), mark.end())
    for label in _LABEL.finditer(text):
        name = label[1].strip()
        if fold(name) in _labels() and (name.isupper() or _orders(text[label.end() : label.end() + 200])):
            yield _Sign("role_marker", 1, label.start(1), label.end())


@cache
def _labels() -> frozenset[str]:
    return frozenset(fold(name) for name in word_list("injection")["other"]["labels"])


def _orders(text: str) -> bool:
    """Whether the words after a label hold an order of any kind."""
    row = _words_of(_plain(text))
    return bool(book("injection", "strong").find(row) or book("injection", "weak").find(row))


def _fragment_signs(plain: str) -> Iterator[_Sign]:
    lower = plain.casefold()
    if len(lower) != len(plain):
        return
    for fragment in word_list("injection")["other"]["fragments"]:
        at = lower.find(fragment)
        if at >= 0:
            yield _Sign("override", _ENOUGH, at, at + len(fragment))


def _markup_signs(text: str) -> Iterator[_Sign]:
    past = 0
    for mark in _COMMENT.finditer(text):
        if mark.start() < past:
            continue
        close = {"<": "-->", "/": "*/"}.get(mark.group()[0], "\n")
        end = text.find(close, mark.end())
        past = end = len(text) if end < 0 else end
        if _orders(text[mark.end() : min(end, mark.end() + _MAX_BLOCK)]):
            yield _Sign("markup", _ENOUGH, mark.start(), min(end + len(close), len(text)), exact=True)
    for style in _HIDDEN_STYLE.finditer(text):
        start, end = _element(text, style.start())
        if _orders(text[style.end() : end]):
            yield _Sign("markup", 1, start, end, exact=True)
    for picture in _PICTURE.finditer(text):
        yield _Sign("markup", 1, picture.start(), picture.end())


def _element(text: str, at: int) -> tuple[int, int]:
    """The element whose tag stands around a place: from its "<" to the end of the next closing tag."""
    start, close = text.rfind("<", max(0, at - 500), at), text.find("</", at)
    end = text.find(">", close) if close >= 0 else -1
    return (start if start >= 0 else at), (end + 1 if end >= 0 else min(len(text), at + 500))


def _encoded_signs(text: str) -> Iterator[_Sign]:
    for pattern, decode in _DECODERS:
        for run in pattern.finditer(text):
            decoded = decode(run.group()[:_MAX_BLOCK])
            if decoded and decoded != run.group() and _readable(decoded) and _orders(decoded):
                yield _Sign("encoded", _ENOUGH, run.start(), run.end(), exact=True)
    for run in _SPACED.finditer(text):
        squashed = fold(re.sub(r"[^\w]|_", "", run.group()))
        if any(word in squashed for word in word_list("injection")["other"]["squashed"]):
            yield _Sign("encoded", _ENOUGH, run.start(), run.end())


def _from_base64(run: str) -> str:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _from_hex(run: str) -> str:
    digits = re.sub(r"[ :]", "", run)
    return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")


def _from_morse(run: str) -> str:
    letters: Mapping[str, str] = word_list("injection")["other"]["morse"]
    groups = re.split(r" {2,}| ?[/|] ?", run.strip())
    return " ".join("".join(letters.get(sign, "") for sign in group.split()) for group in groups)


def _from_escapes(run: str) -> str:
    return re.sub(r"\\[ux]([0-9a-fA-F]{2,4})", lambda m: chr(int(m[1], 16)), run)


_DECODERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_BASE64, _from_base64),
    (_HEX, _from_hex),
    (_PERCENT, lambda run: unquote(run.replace("+", " ")) if "%" in run else ""),
    (_ENTITIES, lambda run: html.unescape(run)),
    (_ESCAPES, _from_escapes),
    (_MORSE, _from_morse),
)


def _readable(text: str) -> bool:
    return sum(c.isprintable() and c != "\ufffd" for c in text) >= 0.85 * len(text)


def _turned_signs(plain: str) -> Iterator[_Sign]:
    """The text read by ROT13, and backwards."""
    strong = book("injection", "strong")
    yield from (_Sign("encoded", _ENOUGH, h.start, h.end) for h in _hard(strong, tokens(codecs.encode(plain, "rot13"))))
    size = len(plain)
    for hit in _hard(strong, tokens(plain[::-1])):
        yield _Sign("encoded", _ENOUGH, size - hit.end, size - hit.start)


def _hard(strong: PhraseBook, row: Sequence[Token]) -> Iterator[_Sign]:
    yield from (_Sign(h.label, _ENOUGH, h.start, h.end) for h in strong.find(row) if h.label in ("override", "reveal"))


# What is cut


def _to_cut(text: str, signs: Sequence[_Sign]) -> list[_Sign]:
    """The signs whose surroundings go: strong ones, and weak ones in a paragraph with a strong one or a role mark.
    Without any strong one, all."""
    heavy = [sign for sign in signs if sign.weight >= _ENOUGH or sign.rule == "role_marker"]
    if not heavy:
        return list(signs)
    paragraphs = {_paragraph(text, sign.start) for sign in heavy}
    return [sign for sign in signs if _paragraph(text, sign.start) in paragraphs]


def _paragraph(text: str, at: int) -> tuple[int, int]:
    start, end = text.rfind("\n\n", 0, at), text.find("\n\n", at)
    return (0 if start < 0 else start + 2), (len(text) if end < 0 else end)


def _blocks(text: str, signs: Sequence[_Sign]) -> tuple[tuple[int, int], ...]:
    fences = [(m.start(), m.end()) for m in _FENCE.finditer(text)]
    parts = sentences(text)
    flagged = {_place(parts, sign.start) for sign in signs}
    blocks: list[tuple[int, int]] = []
    signs = sorted(signs, key=lambda s: s.start)
    for sign in signs:
        if blocks and blocks[-1][0] <= sign.start and sign.end <= blocks[-1][1]:
            continue
        if sign.exact:
            blocks.append((sign.start, sign.end))
            continue
        blocks.append(_fenced(text, sign, fences, signs) or _sentence_block(text, sign, parts, flagged))
    return _merge(blocks)


def _fenced(
    text: str, sign: _Sign, fences: Sequence[tuple[int, int]], signs: Sequence[_Sign]
) -> tuple[int, int] | None:
    """The stretch between two fences ("--- … ---"); with an opening one only, to the end of the paragraph. None when
    a question of its own stands between the fence and the sign."""
    at = bisect_right(fences, (sign.start, sign.start))
    before = fences[at - 1] if at else None
    if before is None or before[1] > sign.start or sign.start - before[1] > _MAX_BLOCK:
        return None
    if "?" in text[before[1] : _first_in(before[1], signs)]:
        return None
    at = bisect_left(fences, (sign.end, 0))
    after = fences[at] if at < len(fences) else None
    if after is not None and after[0] - before[1] <= _MAX_BLOCK:
        return before[0], after[1]
    return before[0], _paragraph(text, sign.start)[1]


def _first_in(start: int, signs: Sequence[_Sign]) -> int:
    return signs[bisect_left(signs, start, key=lambda s: s.start)].start


def _sentence_block(text: str, sign: _Sign, parts: Sequence[tuple[int, int]], flagged: set[int]) -> tuple[int, int]:
    """From the clause with the sign to the last sentence of the paragraph before the customer's own next question.
    After a role mark the whole rest of the paragraph goes, questions too."""
    here = _place(parts, sign.start)
    if here < 0:
        return sign.start, max(sign.end, sign.start + 1)
    last, limit = here, _paragraph(text, sign.start)[1]
    while last + 1 < len(parts) and parts[last + 1][0] < limit:
        following = text[parts[last + 1][0] : parts[last + 1][1]]
        if sign.rule != "role_marker" and last + 1 not in flagged and following.rstrip(" \"')").endswith(("?", "？")):
            break
        last += 1
    return _clause_start(text, parts[here][0], sign.start), max(parts[last][1], sign.end)


def _place(parts: Sequence[tuple[int, int]], at: int) -> int:
    """The index of the sentence at a place, -1 for none."""
    i = bisect_right(parts, at, key=lambda part: part[0]) - 1
    return i if i >= 0 and parts[i][0] <= at < parts[i][1] else -1


def _clause_start(text: str, start: int, at: int) -> int:
    """Where the clause with the sign begins: after the last comma or dash, when three words or more stand before it."""
    for i in range(at - 1, start, -1):
        if text[i] in ",;:–—(|[" or text[i - 1 : i + 2] == " - ":
            return i if len(text[start:i].split()) >= 3 else start
    return start


def _merge(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _without(text: str, blocks: Sequence[tuple[int, int]]) -> str:
    at, kept = 0, []
    for start, end in blocks:
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", " ".join(kept))).strip()
