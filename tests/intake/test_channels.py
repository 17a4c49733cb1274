"""TIFFs of several channels: what is taken as one picture, what is not, and what it looks like."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile

from core.errors import BadImage, InputError, LimitExceeded
from core.intake import ImageLimits, open_upright, probe_image, rendition
from core.intake.channels import turned

HEIGHT, WIDTH = 48, 64
CHANCE = np.random.default_rng(4)
STACK = CHANCE.integers(0, 4000, (5, HEIGHT, WIDTH), dtype=np.uint16)


def pages(values: np.ndarray, colour: str = "minisblack", **more: object) -> bytes:
    """Write grids as pages, or as samples where the planar configuration is named."""
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric=colour, **more)
    return out.getvalue()


def interleaved(**more: object) -> bytes:
    """Return five samples a pixel, side by side."""
    return pages(np.moveaxis(STACK, 0, -1), planarconfig="contig", **more)


def planar(**more: object) -> bytes:
    """Return five samples a pixel, one grid behind the other."""
    return pages(STACK, planarconfig="separate", **more)


HELD = {
    "pages": lambda: pages(STACK),
    "packed pages": lambda: pages(STACK, compression="zlib"),
    "interleaved": interleaved,
    "planar": planar,
    "deflated": lambda: interleaved(compression="zlib"),
    "tiled": lambda: interleaved(tile=(16, 16)),
    "big-endian": lambda: interleaved(byteorder=">"),
    "BigTIFF": lambda: interleaved(bigtiff=True),
}


def expected(number: int) -> np.ndarray:
    """Return a channel as it should look: its own smallest value black, its largest white."""
    values = STACK[number].astype(np.float32)
    low, high = values.min(), values.max()
    return np.rint((values - low) * (255 / (high - low))).astype(np.uint8)


@pytest.mark.parametrize("name", HELD)
def test_pages_or_samples_of_one_size_are_channels_of_one_picture(name: str) -> None:
    """Each channel alone is grey in its own range; the first three together are a colour picture."""
    data = HELD[name]()
    info = probe_image(data)
    assert (info.width, info.height, info.format) == (WIDTH, HEIGHT, "TIFF")
    assert info.channels == ("1", "2", "3", "4", "5")
    for number in (0, 4):
        shown = np.asarray(open_upright(data, channel=number))
        assert (shown == expected(number)[..., None]).all()
    together = np.asarray(open_upright(data))
    assert (together == np.dstack([expected(n) for n in range(3)])).all()
    assert rendition(data, 1600) != rendition(data, 1600, channel=4)


def test_two_channels_make_a_picture_too() -> None:
    """The third colour is then black."""
    together = np.asarray(open_upright(pages(STACK[:2])))
    assert together[..., 1].any()
    assert not together[..., 2].any()


def test_the_file_names_its_channels() -> None:
    """OME and ImageJ names are shown, cut, told apart; what is missing gets its number."""
    names = ["DAPI", "GFP & co", "DAPI", "x\u0007y" + "z" * 100, ""]
    out = io.BytesIO()
    tifffile.imwrite(out, STACK, ome=True, metadata={"axes": "CYX", "Channel": {"Name": names}})
    assert probe_image(out.getvalue()).channels == ("DAPI", "GFP & co", "3", "xy" + "z" * 38, "5")
    out = io.BytesIO()
    tifffile.imwrite(out, STACK, imagej=True, metadata={"axes": "CYX", "Labels": list("abcde")})
    assert probe_image(out.getvalue()).channels == tuple("abcde")


@pytest.mark.parametrize(
    "make",
    [
        lambda: pages(np.zeros((17, 8, 8), np.uint8)),
        lambda: _written([STACK[0], STACK[1, :40]]),
        lambda: _written([STACK[0], STACK[1].astype(np.uint8)]),
        lambda: pages(np.zeros((3, 20, 20, 3), np.uint8), colour="rgb"),
        lambda: _stack("ZYX"),
        lambda: _stack("TYX"),
    ],
    ids=["many", "sizes", "kinds", "colour", "depths", "moments"],
)
def test_what_is_not_channels_is_refused_as_before(make) -> None:
    """Films, stacks, documents and mixed pages are more than one picture."""
    with pytest.raises(BadImage, match="more than one picture"):
        probe_image(make())


def _written(grids: list[np.ndarray]) -> bytes:
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        for grid in grids:
            writer.write(grid, photometric="minisblack", contiguous=False)
    return out.getvalue()


def _stack(axes: str) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, STACK, imagej=True, metadata={"axes": axes})
    return out.getvalue()


def test_all_channels_count_against_the_limit() -> None:
    """Five channels of a picture are five times its pixels."""
    data = interleaved()
    whole = WIDTH * HEIGHT * 5
    assert probe_image(data, ImageLimits(max_pixels=whole)).channels
    with pytest.raises(LimitExceeded, match="5 channels"):
        probe_image(data, ImageLimits(max_pixels=whole - 1))
    with pytest.raises(LimitExceeded):
        probe_image(data, ImageLimits(max_side=WIDTH - 1))
    with pytest.raises(LimitExceeded):
        probe_image(data, ImageLimits(max_bytes=len(data) - 1))


@pytest.mark.parametrize("name", HELD)
def test_a_file_cut_anywhere_is_refused(name: str) -> None:
    """Nothing half read becomes an item."""
    data = HELD[name]()
    last = tifffile.TiffFile(io.BytesIO(data)).pages[0].dataoffsets[0]
    for end in (9, last + 10, len(data) - 200):
        with pytest.raises(InputError):
            probe_image(data[:end])


def test_hostile_bytes_are_bad_images_never_a_traceback() -> None:
    """Whatever is changed in a sound file, it is read or refused in a sentence."""
    refusals = []
    for name in ("pages", "interleaved", "deflated"):
        sound = HELD[name]()
        header = tifffile.TiffFile(io.BytesIO(sound)).pages[0].dataoffsets[0]
        for _ in range(150):
            broken = bytearray(sound)
            for place in CHANCE.integers(0, max(header, 300), 3):
                broken[place % len(broken)] = CHANCE.integers(256)
            for use in (
                probe_image,
                lambda d: rendition(d, 32),
                lambda d: open_upright(d, channel=0),
            ):
                try:
                    use(bytes(broken))
                except InputError as error:
                    refusals.append(error.message)
    assert refusals
    assert all(refusals)


def test_a_part_that_unpacks_to_more_than_its_place_is_refused() -> None:
    """A small file may not fill the memory: what is unpacked is counted while it is."""
    import zlib

    bomb = zlib.compress(bytes(3_000_000))
    sound = interleaved(compression="zlib")
    page = tifffile.TiffFile(io.BytesIO(sound)).pages[0]
    start, length = page.dataoffsets[0], page.databytecounts[0]
    assert len(bomb) < length
    with pytest.raises(BadImage, match="more than it may"):
        probe_image(sound[:start] + bomb + bytes(length - len(bomb)) + sound[start + length :])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stored_samples_are_turned_upright(orientation: int) -> None:
    """All eight orientations, against Pillow's own turning of a picture of one channel."""
    from PIL import Image, ImageOps

    values = CHANCE.integers(0, 255, (6, 9), dtype=np.uint8)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(values).save(out, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(out)))
    assert (turned(values, orientation) == upright).all()
    extra = [(274, "H", 1, orientation, True)]
    info = probe_image(interleaved(extratags=extra))
    assert (info.width, info.height) == ((WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH))
