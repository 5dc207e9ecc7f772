"""What in a text its writer wrote: without quoted history and signature; and where its sentences begin and end."""

from __future__ import annotations

import re
from functools import cache

from crmplugin.analysis.phrases import fold, gather, words

MAX_CHARS = 50_000
"""Longer texts are read up to here: nobody asks a question after twenty pages."""

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]{1,2000}", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BULLET = re.compile(r"\s*(?:[-*•–—▪◦·→>]|\[[ xX]?\]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_POSTSCRIPT = re.compile(r"\s*p\.?\s?s\.?\s*[:.\-–]?\s", re.IGNORECASE)
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_ENDS = ".!?…？！。؟;\u037e"
_CLOSERS = "\"'”’»)]*_?!？！"
_SHORT_LINE = 50


def clean_controls(text: str) -> str:
    """The text without control characters and with one kind of line end, up to MAX_CHARS."""
    return _CONTROL.sub("", text[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n"))


def own_text(text: str) -> str:
    """The text without quoted history ("> …", "On … wrote:"), signature and device lines; a postscript stays."""
    lines = _without_history(clean_controls(text).split("\n"))
    return "\n".join(_without_signature(lines)).strip()


def mask_addresses(text: str) -> str:
    """The text with links and mail addresses replaced by as many letters, so that places stay the same."""
    return _EMAIL.sub(_blank, _URL.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    body = match.group().rstrip(".,;:!?)]}")
    return "x" * len(body) + match.group()[len(body) :]


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Start and end of each sentence, without surrounding space. A line of its own (a bullet, a short line before a
    capital, a blank line) ends a sentence too; a wrapped line does not."""
    masked = mask_addresses(text)
    greek = _GREEK.search(text) is not None
    cuts = sorted({0, len(text), *_line_cuts(text), *_mark_cuts(masked, greek=greek)})
    spans = (_trim(text, a, b) for a, b in zip(cuts, cuts[1:], strict=False))
    return tuple((a, b) for a, b in spans if a < b)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    bullet = _BULLET.match(text, start, end)
    return (bullet.end() if bullet else start), end


def _mark_cuts(text: str, *, greek: bool) -> list[int]:
    """Places after a sentence's last mark. A point inside a number, an abbreviation or a name is not one."""
    cuts, done = [], 0
    for i, c in enumerate(text):
        if c == "¿":
            cuts.append(i)
        if i < done or c not in _ENDS or (c == ";" and not greek):
            continue
        end = i + 1
        while end < len(text) and text[end] in _CLOSERS:
            end += 1
        if _is_end(text, i, end):
            cuts.append(end)
            done = end
    return cuts


def _is_end(text: str, at: int, end: int) -> bool:
    if text[at] in "？！。؟":
        return True
    if end < len(text) and not text[end].isspace():
        return False
    if text[at] != ".":
        return not (text[at] == "?" and end > at + 1 and text[end - 1] == ")" and _next_is_lower(text, end))
    before = _last_word(text, at)
    if before.replace(".", "").isdigit():
        return not _next_is_word(text, end)
    return fold(before) not in words("reading_passages", "abbreviations") and not (
        len(before) == 1 and before.isalpha() and before.isupper()
    )


def _last_word(text: str, at: int) -> str:
    start = at
    while start > 0 and at - start < 20 and (text[start - 1].isalnum() or text[start - 1] == "."):
        start -= 1
    return text[start:at]


def _next_is_lower(text: str, at: int) -> bool:
    rest = text[at : at + 40].lstrip()
    return bool(rest) and rest[0].islower()


def _next_is_word(text: str, at: int) -> bool:
    """Whether a word follows on the same line: "am 20. März", "the 3. unit" go on after the point."""
    rest = text[at : at + 40].lstrip(" \t")
    return bool(rest) and (
        rest[0].islower() or fold(rest.split()[0].strip(".,;:") if rest.split() else "") in _months()
    )


@cache
def _months() -> frozenset[str]:
    return frozenset(
        fold(name) for lines in gather("reading_dates", "months").values() for line in lines for name in line.split("|")
    )


def _line_cuts(text: str) -> list[int]:
    cuts, start = [], 0
    lines = text.split("\n")
    for line, following in zip(lines, lines[1:], strict=False):
        start += len(line) + 1
        if _ends_with_line(line, following):
            cuts.append(start)
    return cuts


def _ends_with_line(line: str, following: str) -> bool:
    last, first = line.rstrip(), following.lstrip()
    if not last or not first or _BULLET.match(following):
        return True
    return (
        last[-1] in ",:" or (len(last) < _SHORT_LINE and not first[0].islower()) or bool(_POSTSCRIPT.match(following))
    )


def _without_history(lines: list[str]) -> list[str]:
    kept: list[str] = []
    i = 0
    while i < len(lines):
        if lines[i].lstrip().startswith(">"):
            i += 1
            continue
        opened = _history_opens(lines, i)
        if opened and not _is_quoted(lines, i + opened):
            break
        if not opened:
            kept.append(lines[i])
        i += opened or 1
    return kept


def _history_opens(lines: list[str], i: int) -> int:
    """Number of lines of a history header at line i ("On … wrote:" may be wrapped once), 0 for none."""
    for count in (1, 2):
        head = " ".join(line.strip() for line in lines[i : i + count])
        if len(head) <= 400 and any(p.fullmatch(head) for p in _history_patterns()):
            return count if not _needs_header(head) or _header_follows(lines, i) else 0
    return 0


def _needs_header(head: str) -> bool:
    """A line "From: …" opens history only when another header line follows it."""
    return head.split(":")[0].strip().casefold() in {"from", "von", "de", "da", "van"} and not head.startswith("-")


def _header_follows(lines: list[str], i: int) -> bool:
    heads = tuple(gather("reading_passages", "after_from")["after_from"])
    return any(line.strip().casefold().startswith(heads) for line in lines[i + 1 : i + 4])


def _is_quoted(lines: list[str], i: int) -> bool:
    """Whether the next line with words is marked by ">": then only the marked lines are history."""
    following = next((line for line in lines[i : i + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


@cache
def _history_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(line, re.IGNORECASE) for line in gather("reading_passages", "quoted")["quoted"])


def _without_signature(lines: list[str]) -> list[str]:
    devices = tuple(fold(line) for line in gather("reading_passages", "devices")["devices"])
    lines = [line for line in lines if not fold(line.strip()).startswith(devices)]
    end = next((i for i, line in enumerate(lines) if _closes(line, first=i == 0)), len(lines))
    postscript = next((i for i in range(end, len(lines)) if _POSTSCRIPT.match(lines[i])), len(lines))
    return lines[:end] + lines[postscript:]


def _closes(line: str, *, first: bool) -> bool:
    """Whether a line is a closing formula or the mark of a signature ("-- ")."""
    if line.rstrip() == "--" or line.rstrip() == "__":
        return True
    plain = fold(line.strip().rstrip(",.! "))
    return not first and len(plain.split()) <= 6 and any(_begins(plain, c) for c in _closings())


def _begins(plain: str, closing: str) -> bool:
    rest = plain.removeprefix(closing)
    short = len(closing) <= 5
    return rest != plain and (not rest or (rest[0] in " ,;:/-" and not short))


@cache
def _closings() -> tuple[str, ...]:
    return tuple(fold(line) for line in gather("reading_passages", "closings")["closings"])
