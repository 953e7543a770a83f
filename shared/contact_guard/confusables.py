"""Letters of other scripts that look like Latin ones, after lower-casing and removal of accents.

The pairs are the Latin prototypes of Unicode's confusables table (UTS #39) for the scripts in which
whole words can be imitated: Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu and Latin extensions
(decision 0019 says why no library is asked).
"""

import re

_LOOK_ALIKES = {
    "a": "аɑαа⍺ᴀꭺꓮⲁ",
    "b": "ьʙвβƅꮟᏼꓐꞵ",
    "c": "сϲᴄⅽꮯⲥꓚς",
    "d": "ԁɗᴅꭰꮷꓒꓓ",
    "e": "еҽɛεєᴇꭼ℮ⴹꓰꬲ",
    "f": "ſẝƒꓝꞙꬵքϝ",
    "g": "ɡցɢԍᶃꮐᏻꓖ",
    "h": "һհнʜꮋꮒⲏꓧ",
    "i": "іıɩιꭵɪӏⲓꙇ",
    "j": "јϳյꭻꓙʝ",
    "k": "кκᴋĸꮶⲕꓗ",
    "l": "ⅼʟꮮꓡⳑ",
    "m": "мⅿᴍµμꮇⲙꓟ",
    "n": "пոηɴʌռⲛꓠ",
    "o": "оοσօᴏהօⲟꓳ",
    "p": "рρᴘⲣꮲꓑ",
    "q": "ԛզɋգⵕ",
    "r": "гʀᴦꭱꮢꓣꭇꭈꮁⲅ",
    "s": "ѕꜱꮪʂꮥꓢ",
    "t": "тτᴛꭲⲧꓔ",
    "u": "υսᴜцμꓴꞟꭎꭒʋ",
    "v": "ѵνᴠⅴꮩꓦⴸ",
    "w": "ԝшωᴡѡꮃꮤꓪɯա",
    "x": "хχⅹⲭꓫꭓⵝ",
    "y": "уүʏγყꭹꮍⲩꓬɣ",
    "z": "ᴢʐꮓꓜ",
}
_TO_LATIN = {ord(odd): latin for latin, odds in reversed(_LOOK_ALIKES.items()) for odd in odds}

_ANY = re.compile("[" + "".join(map(re.escape, map(chr, _TO_LATIN))) + "]")
_CHUNK = re.compile(r"[\w.@+-]+")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-z]")


def unmask(text: str) -> str:
    """Replace look-alikes in words that mix them with Latin letters, and in addresses made of nothing else.

    A word in one script is left alone: «сом» is a fish, only «example.сом» is a disguise. The length of the
    text does not change.
    """
    if not _ANY.search(text):
        return text
    return _CHUNK.sub(_unmask_chunk, text)


def _unmask_chunk(chunk: re.Match[str]) -> str:
    text = chunk.group()
    if not _LATIN.search(text) and "@" not in text:
        return text
    return _WORD.sub(_unmask_word, text)


def _unmask_word(word: re.Match[str]) -> str:
    text = word.group()
    plain = text.translate(_TO_LATIN)
    return plain if _LATIN.search(text) or plain.isascii() else text
