"""Files as people send them, made by the libraries that also make real ones."""

import io
import zipfile
from typing import Final

import pillow_heif
import pypdfium2
import zxingcpp
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

SECRETS: Final = (b"Ada Lovelace", b"Ningbo camera", b"121.5", b"xmpmeta")
XMP: Final = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><creator>Ada Lovelace</creator></x:xmpmeta>'
_ORIENTATION, _MAKE, _ARTIST, _GPS = 0x0112, 0x010F, 0x013B, 0x8825


def an_exif(*, orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    exif[_MAKE] = "Ningbo camera"
    exif[_ARTIST] = "Ada Lovelace"
    exif.get_ifd(_GPS).update({1: "N", 2: (29.0, 52.0, 0.0), 3: "E", 4: (121.5, 0.0, 0.0)})
    return exif


def a_picture(*, size: tuple[int, int] = (640, 400), mode: str = "RGB") -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (gradient, gradient.rotate(180), gradient)).convert(mode)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def a_jpeg(**options: object) -> bytes:
    return saved(a_picture(), "JPEG", **{"quality": 90} | options)


def a_jpeg_that_tells(*, orientation: int = 6) -> bytes:
    """Make a photograph with a place, a person, a device, a comment, a color profile and a thumbnail trailer."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = a_jpeg(
        exif=an_exif(orientation=orientation),
        xmp=XMP,
        icc_profile=profile,
        comment=b"by Ada Lovelace",
        progressive=True,
    )
    return whole + a_jpeg(exif=an_exif())  # phones append further pictures, which tell the same


def a_png_that_tells() -> bytes:
    texts = PngInfo()
    texts.add_text("Author", "Ada Lovelace")
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return saved(a_picture(mode="RGBA"), "PNG", pnginfo=texts, exif=an_exif())


def a_webp_that_tells() -> bytes:
    return saved(a_picture(), "WEBP", exif=an_exif(), xmp=XMP)


def a_gif_that_tells() -> bytes:
    return saved(
        a_picture(mode="P"),
        "GIF",
        save_all=True,
        append_images=[a_picture(mode="P").rotate(90)],
        comment=b"by Ada Lovelace",
        loop=0,
        xmp=XMP,
    )


def a_heic_that_tells() -> bytes:
    pillow_heif.register_heif_opener()
    return saved(a_picture(), "HEIF", exif=an_exif().tobytes(), xmp=XMP)


def a_heic() -> bytes:
    pillow_heif.register_heif_opener()
    return saved(a_picture(), "HEIF")


def a_pdf() -> bytes:
    document = pypdfium2.PdfDocument.new()
    document.new_page(595, 842)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def an_office_file(kind: str, *, macros: bool = False) -> bytes:
    """Make a package with just what tells a DOCX or an XLSX."""
    part, main = {
        "docx": ("word/document.xml", "wordprocessingml.document"),
        "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet"),
    }[kind]
    family = (
        "application/vnd.ms-word.document.macroEnabled"
        if macros
        else f"application/vnd.openxmlformats-officedocument.{main}"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types><Override PartName="/{part}" ContentType="{family}.main+xml"/></Types>',
        )
        package.writestr(part, "<document/>")
    return target.getvalue()


def an_ole_file(stream: str) -> bytes:
    """Make an empty compound file with one stream: header, one FAT sector, one directory sector."""
    free, end, fat = b"\xff" * 4, b"\xfe\xff\xff\xff", b"\xfd\xff\xff\xff"
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0"
        + bytes(10)
        + (1).to_bytes(4, "little")  # FAT sectors
        + (1).to_bytes(4, "little")  # where the directory begins
        + bytes(4)
        + (4096).to_bytes(4, "little")
        + end
        + bytes(4)
        + end
        + bytes(4)
        + bytes(4)
        + free * 108
    )
    table = fat + end + free * 126

    def entry(name: str, kind: int, child: int = -1) -> bytes:
        encoded = name.encode("utf-16-le") + b"\0\0"
        return (
            encoded.ljust(64, b"\0")
            + len(encoded).to_bytes(2, "little")
            + bytes((kind, 1))
            + free * 2
            + child.to_bytes(4, "little", signed=True)
            + bytes(36)
            + end
            + bytes(8)
        )

    return header + table + entry("Root Entry", 5, 1) + entry(stream, 2) + bytes(256)


def a_pdf_saying(*lines: str, link: str | None = None) -> bytes:
    """Write a page of text by hand, and a link that does not show."""
    shown = b"BT /F1 12 Tf 14 TL 50 800 Td " + b"".join(f"({line}) Tj T* ".encode() for line in lines) + b"ET"
    annotation = (
        f"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI ({link}) >> >>" if link else ""
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> /Annots [" + annotation.encode() + b"] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        whole
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(whole))
    )


def an_office_file_with(kind: str, parts: dict[str, str]) -> bytes:
    """Put further parts into a package, or others in the place of its own."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(an_office_file(kind))) as plain,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package,
    ):
        for name in plain.namelist():
            if name not in parts:
                package.writestr(name, plain.read(name))
        for name, text in parts.items():
            package.writestr(name, text)
    return target.getvalue()


def a_code(text: str, kind: str = "PNG") -> bytes:
    """Draw a QR code into a larger picture."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(code.to_image(scale=6))
    picture = Image.new("RGB", (drawn.width + 300, drawn.height + 200), "white")
    picture.paste(drawn, (140, 90))
    return saved(picture, kind)
