"""B01 to B23: broken, hostile and unusual images and names."""

from __future__ import annotations

import gzip
import io
import struct
import time
import tracemalloc
import zlib

import pytest
import tifffile  # noqa: F401 - imported where a TIFF is read first, which is no memory of that file's
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import BadImage, LimitExceeded
from core.intake import name_fault, open_upright, probe_image, rendition
from tests.bad_inputs.outcomes import outcome
from tests.intake.pictures import encoded, four_corners, with_orientation


def png(width: int, height: int, rows: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG with any header over any pixel data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def frames(format: str, count: int) -> bytes:
    """Return an animation."""
    pictures = [Image.new("RGB", (4, 4), (i * 80 % 256, i // 256, 0)) for i in range(count)]
    return encoded(pictures[0], format, save_all=True, append_images=pictures[1:])


def flipped(data: bytes, at: int) -> bytes:
    """Return the bytes with one of them inverted."""
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


GOOD = encoded(four_corners(), "PNG")
JPEG = encoded(four_corners(), "JPEG")

REFUSED = {
    "B01-empty": (lambda: b"", BadImage),
    "B02-text": (lambda: b"this is no image\n" * 50, BadImage),
    "B04-truncated-jpeg": (lambda: JPEG[: len(JPEG) // 2], BadImage),
    "B04-truncated-png": (lambda: GOOD[: len(GOOD) // 2], BadImage),
    "B04-truncated-webp": (lambda: encoded(four_corners(), "WEBP")[:-20], BadImage),
    "B04-truncated-bmp": (lambda: encoded(four_corners(), "BMP")[:-200], BadImage),
    "B04-truncated-tiff": (lambda: encoded(four_corners(), "TIFF")[:-9000], BadImage),
    "B05-checksum": (lambda: flipped(GOOD, GOOD.index(b"IEND") - 5), BadImage),
    "B05-checksum-of-header": (lambda: flipped(GOOD, GOOD.index(b"IHDR") + 17), BadImage),
    "B05-pixels": (lambda: flipped(GOOD, GOOD.index(b"IDAT") + 50), BadImage),
    "B06-zero-width": (lambda: png(0, 5), BadImage),
    "B07-header-bomb": (lambda: png(20_000, 20_000, b"\x00" * 100), LimitExceeded),
    "B07-larger-bomb": (lambda: png(2**31 - 1, 2**31 - 1), LimitExceeded),
    "B08-one-colour": (
        lambda: png(10_000, 10_000, b"\x00" * (10_000 * 10_001), colour=0), LimitExceeded),
    "B09-strip": (lambda: encoded(Image.new("L", (65_535, 1)), "PNG"), LimitExceeded),
    "B10-gif": (lambda: frames("GIF", 10_000), BadImage),
    "B11-animated-webp": (lambda: frames("WEBP", 3), BadImage),
    "B11-animated-png": (lambda: frames("PNG", 3), BadImage),
    "B12-svg": (lambda: b'<svg xmlns="x"><script>alert(1)</script></svg>', BadImage),
    "B13-eps": (lambda: encoded(four_corners(), "EPS"), BadImage),
    "B14-fits": (lambda: gzip.compress(b"SIMPLE  =                    T" + b" " * 2850), BadImage),
    "B21-pages": (lambda: frames("TIFF", 2), BadImage),
}  # fmt: skip


@pytest.mark.parametrize("row", REFUSED)
def test_a_bad_image_is_refused_with_a_sentence(row):
    """Each raises its own kind of error, quickly, in little memory, with advice."""
    make, error = REFUSED[row]
    data = make()
    tracemalloc.start()
    start = time.process_time()
    try:
        for use in (probe_image, open_upright, lambda d: rendition(d, 100)):
            with pytest.raises(error) as caught:
                use(data)
            assert caught.value.message.endswith(".")
            assert caught.value.advice
            assert "Traceback" not in str(caught.value)
        spent = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert spent < 2
    assert peak < 20_000_000


def test_b03_a_png_named_jpg_is_taken_for_what_it_is():
    """Content counts, not the name."""
    assert probe_image(GOOD).format == "PNG"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_b16_orientations_are_honoured(orientation):
    """Width and height are those a person sees."""
    info = probe_image(with_orientation(four_corners(), orientation))
    assert (info.width, info.height) == (96, 64)


def test_b17_gps_does_not_leave_with_a_rendition():
    """The position stays in the original only."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 30.0)
    data = encoded(four_corners(), "JPEG", exif=exif)
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)
    assert not Image.open(io.BytesIO(rendition(data, 500))).getexif()


def test_b18_trailing_html_is_accepted_and_cleaned():
    """What stands behind the picture is not passed on."""
    data = JPEG + b"<html><script>alert(1)</script></html>"
    assert probe_image(data).size_bytes == len(data)
    assert b"script" not in rendition(data, 500)


@pytest.mark.parametrize("width", [40, 500])
def test_b18_a_comment_does_not_leave_with_a_rendition(width):
    """Made smaller or as large as it was: what a camera or a person wrote into the file stays behind."""
    out = io.BytesIO()
    Image.new("RGB", (96, 64)).save(out, "JPEG", comment=b"owner: nobody's business")
    assert b"business" in out.getvalue()
    assert b"business" not in rendition(out.getvalue(), width)


def test_b19_a_broken_colour_profile_does_no_harm():
    """The profile is dropped, the pixels are kept."""
    data = encoded(four_corners(), "JPEG", icc_profile=b"\x00garbage" * 20)
    assert probe_image(data).width == 96
    assert b"garbage" not in rendition(data, 500)


def test_b20_the_same_bytes_have_one_hash():
    """Renaming changes nothing, one other byte does."""
    assert probe_image(JPEG).content_hash == probe_image(bytes(JPEG)).content_hash
    assert probe_image(JPEG).content_hash != probe_image(JPEG + b"\x00").content_hash


BAD_NAMES = {
    "B22-300-bytes": "a" * 300 + ".jpg",
    "B22-300-bytes-of-accents": "é" * 150 + ".jpg",
    "B22-long-path": "/".join(["a" * 200] * 25),
    "B23-newline": "a\nb.jpg",
    "B23-nul": "a\x00.jpg",
    "B23-dots": "a/../../b.jpg",
    "B23-absolute": "/etc/passwd.jpg",
    "B23-drive": "C:/x.jpg",
    "B23-backslash": "a\\b.jpg",
    "B23-device": "a/NUL.jpg",
    "B23-device-number": "com1",
    "B23-right-to-left": "photo\u202egpj.exe",
    "B23-separator": "a\u2028b.jpg",
    "B23-escape-code": "a\x1b[31m.jpg",
    "B23-not-utf8": "a\udcff.jpg",
    "B23-empty-part": "a//b.jpg",
    "B23-here": "./b.jpg",
}


@pytest.mark.parametrize("row", BAD_NAMES)
def test_a_bad_name_is_refused_with_a_reason(row):
    """Names that could harm or mislead are not taken."""
    assert name_fault(BAD_NAMES[row])


def test_b23_emoji_is_a_name_like_any_other():
    """Not everything unusual is bad."""
    assert name_fault("a/🌼 1.jpg") is None


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_an_image_or_an_input_error(data):
    """No other exception comes out, and what is said is a sentence."""
    for use in (probe_image, open_upright, lambda d: rendition(d, 10)):
        found = outcome(lambda use=use: use(data))
        assert found is None or len(data) > 20


@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(max_examples=250, deadline=None)
def test_flipped_bytes_are_an_image_or_an_input_error(format, flips):
    """Real files with a few bytes changed give a picture or an error of ours."""
    data = bytearray(encoded(four_corners(16, 8), format))
    for place, value in flips:
        data[int(place * min(len(data), 400))] = value
    info = outcome(lambda: probe_image(bytes(data)))
    assert info is None or info.width > 0 < info.height
    made = outcome(lambda: rendition(bytes(data), 10))
    if made is not None:
        picture = Image.open(io.BytesIO(made))
        assert picture.format == "JPEG"
        assert picture.width <= 10
