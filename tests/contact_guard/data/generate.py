"""Writes data/own.jsonl: labelled lines from sentence frames of twelve languages and invented identifiers.

Run it again after adding a frame; the seed makes it repeatable. All numbers and names are invented: numbers
are from ranges kept for drama or have made-up digits, domains are reserved ones.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

RANDOM = random.Random(20241118)  # noqa: S311 - test data
HERE = Path(__file__).parent
D = "0123456789"


def digits(count: int) -> str:
    return "".join(RANDOM.choice(D) for _ in range(count))


def fill(pattern: str) -> str:
    """Replace each # by a digit."""
    return "".join(RANDOM.choice(D) if char == "#" else char for char in pattern)


PHONES = {
    "en": [
        "+1 202 555 01##",
        "(415) 555-01##",
        "646-555-01##",
        "917.555.01##",
        "+44 7700 900###",
        "07700 900 ###",
        "020 7946 0###",
        "0161 496 0###",
        "+1-713-555-01##",
        "+61 491 570 1##",
        "+353 86 555 0###",
        "1-312-555-01##",
        "+91 98765 4####",
        "0044 7700 900###",
        "+1 (303) 555 01##",
    ],
    "zh": [
        "1390000####",
        "138 0000 ####",
        "150-0000-####",
        "+86 137 0000 ####",
        "0086 13900 00####",
        "0574-8755 ####",
        "0755-2655####",
        "021-5550 ####",
        "+852 5555 ####",
        "8613800001###",
    ],
    "de": [
        "+49 151 2345 ####",
        "0171 234 ####",
        "030 23125 ###",
        "0151/2345####",
        "+49 (0)89 1234 ###",
        "0221-4710 ###",
    ],
    "fr": ["06 39 98 ## ##", "+33 6 39 98 ## ##", "01.99.00.##.##", "07 55 55 ## ##", "0033 1 99 00 ## ##"],
    "es": ["+34 600 000 ###", "612 34 ## ##", "600 123 ###", "+52 55 5550 ####", "91 555 ## ##"],
    "pt": ["(11) 9####-####", "+55 11 95555 ####", "+351 912 345 ###", "21 98888-####", "912 345 ###"],
    "it": ["333 000 ####", "+39 333 000 ####", "02 5550 ####", "+39 02 5550 ####", "347 12 34 ###"],
    "ru": ["+7 912 000-##-##", "8 (900) 000-##-##", "8-900-000-##-##", "89000000###", "+375 29 000 ## ##"],
    "tr": ["0532 000 ## ##", "+90 555 000 ## ##", "0 532 000 ####", "0212 555 ## ##"],
    "ja": ["090-5555-####", "080-1000-####", "03-5550-####", "+81 90 5555 ####", "06-6555-####"],
    "ko": ["010-5555-####", "010 5555 ####", "02-555-####", "+82 10 5555 ####", "0105555####"],
    "vi": ["0912 000 ###", "0900000###", "+84 912 000 ###", "0912.000.###"],
    "id": ["0812-5555-####", "0813 5555 ####", "+62 812 5555 ####", "08125555####"],
    "pl": ["600 000 ###", "+48 512 000 ###", "512-000-###", "22 555 ## ##"],
    "ar": ["050 000 ####", "+966 50 000 ####", "+971 55 000 ####", "٠٥٠ ٠٠٠ ٠###"],
    "nl": ["06 1234 ####", "06-1234####", "+31 6 1234 ####", "020 555 ####"],
}
WORDS = [
    "bracket",
    "forge",
    "mold",
    "gear",
    "press",
    "tooling",
    "casting",
    "alu",
    "steel",
    "spring",
    "valve",
    "cnc",
    "weld",
    "plating",
    "bolt",
    "hinge",
]
NAMES = [
    "anna",
    "li",
    "kevin",
    "marta",
    "oleg",
    "chen",
    "tom",
    "yuki",
    "sara",
    "wang",
    "jose",
    "emre",
    "linh",
    "park",
    "ivo",
    "lena",
]


def domain() -> str:
    stem = RANDOM.choice(
        [
            f"{RANDOM.choice(WORDS)}-{RANDOM.choice(WORDS)}",
            f"{RANDOM.choice(NAMES)}{RANDOM.choice(WORDS)}",
            f"{RANDOM.choice(WORDS)}{RANDOM.choice(WORDS)}",
        ]
    )
    return stem + RANDOM.choice(
        [
            ".example",
            ".example.com",
            ".example.net",
            ".com",
            ".cn",
            ".com.cn",
            ".example.org",
            ".net",
            ".biz",
            ".co.uk",
            ".de",
        ]
    )


def email() -> str:
    local = RANDOM.choice(
        [
            f"{RANDOM.choice(NAMES)}.{RANDOM.choice(WORDS)}",
            RANDOM.choice(["sales", "info", "rfq", "office", "export"])
            + RANDOM.choice(["", "1", "02", "_cn"]),
            f"{RANDOM.choice(NAMES)}{digits(2)}",
        ]
    )
    return f"{local}@{RANDOM.choice(['example.com', 'example.org', 'mail.example.net', domain()])}"


def handle() -> str:
    name, word = RANDOM.choice(NAMES), RANDOM.choice(WORDS)
    return RANDOM.choice(
        [
            f"{name}_{word}",
            f"{name}_{word}{digits(2)}",
            f"{name}{word}{digits(2)}",
            f"{word}.{name}{digits(2)}",
            f"{name}-{word}{digits(2)}",
            f"{word}_{name}_{digits(4)}",
        ]
    )


def url() -> str:
    return RANDOM.choice(
        ["www.{}", "https://{}", "http://www.{}/products", "{}", "{}/catalog", "shop.{}", "https://{}/p?id=7"]
    ).format(domain())


SPELLED = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "de": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
    "pt": ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
    "it": ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"],
    "ru": ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"],
    "tr": ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"],
    "pl": ["zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"],
    "vi": ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"],
    "id": ["nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"],
    "nl": ["nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"],
    "zh": list("零一二三四五六七八九"),
    "ja": list("〇一二三四五六七八九"),
    "ko": list("공일이삼사오육칠팔구"),
    "ar": ["صفر", "واحد", "اثنين", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"],
}


def spelled(lang: str) -> str:
    plain = "".join(char for char in fill(RANDOM.choice(PHONES[lang][:6])) if char in D)
    words = [SPELLED[lang][int(char)] for char in plain]
    if lang in ("zh", "ja", "ko"):
        glue = RANDOM.choice(["", "", " ", "-"])
        return (
            glue.join("".join(words[start : start + 4]) for start in range(0, len(words), 4))
            if glue
            else "".join(words)
        )
    return RANDOM.choice([" ", " ", "-", ", "]).join(words)


STYLES: list[Callable[[str], str]] = [
    lambda text: "".join(chr(0xFF10 + int(c)) if c in D else c for c in text),
    lambda text: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] if c in D else c for c in text),
    lambda text: "".join(c + "\ufe0f\u20e3" if c in D else c for c in text),
    lambda text: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] if c in D else c for c in text),
    lambda text: "".join(chr(0x1D7CE + int(c)) if c in D else c for c in text),
    lambda text: "".join(chr(0x0660 + int(c)) if c in D else c for c in text),
    lambda text: " ".join(c for c in text if c in D),
    "\u200b".join,
    lambda text: "".join("o" if c == "0" else "l" if c == "1" and i else c for i, c in enumerate(text)),
    lambda text: ".".join(c for c in text if c in D),
    lambda text: "*".join(text.split()),
]


def styled(text: str) -> str:
    return RANDOM.choice(STYLES)(text)


FRAMES = Path(__file__).with_name("frames.txt")


def trade() -> dict[str, str]:
    return {
        "po": RANDOM.choice(["4500", "4501", "7100"]) + digits(6),
        "n7": digits(7),
        "n8": digits(8),
        "n9": digits(9),
        "n10": digits(10),
        "n11": digits(11),
        "n12": digits(12),
        "pn": RANDOM.choice(
            [
                f"{digits(3)}-{digits(3)}-{digits(4)}",
                f"{digits(4)}-{digits(4)}-{RANDOM.choice('ABC')}",
                f"{digits(2)}.{digits(4)}.{digits(3)}",
                f"{RANDOM.choice(['BX', 'QQ', 'WX', 'VX', 'LN'])}-{digits(4)}",
                f"0{digits(3)}-{digits(3)}-{digits(2)}",
                f"{digits(3)}-{digits(4)}-{digits(2)}",
            ]
        ),
        "sku": f"{RANDOM.choice(['QQ', 'VX', 'WA', 'TG', 'AL', 'SS'])}-{digits(5)}-{RANDOM.choice(['BLK', 'RED', 'M6', '304'])}",
        "ups": "1Z" + "".join(RANDOM.choice(D + "ABCEFWXY") for _ in range(6)) + digits(10),
        "fedex": f"{digits(4)} {digits(4)} {digits(4)}",
        "dhl": RANDOM.choice("123456789") + digits(9),
        "sf": "SF" + digits(13),
        "usps": "9400 1" + digits(3) + " " + " ".join(digits(4) for _ in range(3)) + " " + digits(2),
        "s10": RANDOM.choice(["EE", "LX", "RR", "CP"]) + digits(9) + RANDOM.choice(["CN", "US", "DE", "GB"]),
        "container": RANDOM.choice(["MSKU", "TCLU", "CSQU", "MSCU", "TGHU"]) + digits(7),
        "awb": f"{digits(3)}-{digits(8)}",
        "ean": "590" + digits(10),
        "hs": RANDOM.choice(["7318.15.2095", "8483.30.8090", "7326908688", "84833090"]),
        "cas": RANDOM.choice(["67-64-1", "7646-85-7", "78-93-3", "1310-73-2"]),
        "iban": f"DE{digits(2)} {digits(4)} {digits(4)} {digits(4)} {digits(4)} {digits(2)}",
        "date": f"{RANDOM.randint(1, 28):02}.{RANDOM.randint(1, 12):02}.2025",
        "iso": f"2025-{RANDOM.randint(1, 12):02}-{RANDOM.randint(1, 28):02}",
        "dims": f"{RANDOM.randint(20, 2500)} x {RANDOM.randint(20, 1200)} x {RANDOM.randint(1, 800)} mm",
        "price": f"{RANDOM.randint(0, 90)}.{digits(2)}",
        "qty": str(RANDOM.choice([500, 1000, 1200, 2500, 5000, 12000, 100000])),
        "file": RANDOM.choice(
            [
                "housing_v{}.step",
                "flange-rev{}.pdf",
                "BOM_2025.{}.xlsx",
                "plate.rev{}.dxf",
                "IMG_2025{}31.jpg",
            ]
        ).format(RANDOM.randint(2, 12)),
        "link": RANDOM.choice(
            [
                "https://www.dhl.com/track?id=" + digits(10),
                "https://t.17track.net/en#nums=LX" + digits(9) + "CN",
                "www.fedex.com/fedextrack/?trknbr=" + digits(12),
                "https://www.ups.com/track?tracknum=1Z999AA1" + digits(10),
                "https://www.maersk.com/tracking/MSKU" + digits(7),
                "https://www.sf-express.com/waybill/SF" + digits(13),
            ]
        ),
        "lot": RANDOM.choice([f"L{digits(4)}-{digits(4)}", f"{digits(4)}-{digits(4)}", f"24{digits(6)}"]),
    }


def main() -> None:
    lines = []
    for row in FRAMES.read_text("utf-8").splitlines():
        if not row or row.startswith("//"):
            continue
        head, frame = row.split("|", 1)
        label, category, lang, times = head.split()
        for _ in range(int(times)):
            phone = fill(RANDOM.choice(PHONES[lang])) if lang in PHONES else ""
            values = {
                "p": phone,
                "ps": styled(fill(RANDOM.choice(PHONES.get(lang, PHONES["en"])))),
                "w": spelled(lang) if lang in SPELLED else "",
                "e": email(),
                "u": url(),
                "h": handle(),
                "d": domain(),
                **trade(),
            }
            text = frame.replace("\\n", "\n").format_map(values)
            lines.append(
                {
                    "text": text,
                    "label": "block" if label == "b" else "allow",
                    "category": category,
                    "lang": lang,
                }
            )
    unique = {line["text"]: line for line in lines}
    with HERE.joinpath("own.jsonl").open("w", encoding="utf-8") as out:
        for number, line in enumerate(unique.values(), 1):
            out.write(json.dumps({"id": f"o{number:04}", **line}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
