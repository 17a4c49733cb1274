"""Real sets of photos, as they come."""

from __future__ import annotations

import csv
import io

import pytest
from PIL import Image, ImageOps

from core.intake import open_source, open_upright, probe_image

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("name", "images", "distinct"),
    [("flowers", 600, 599), ("leaves", 500, 500), ("bccd", 364, 364), ("exif_photos", 32, 32)],
)
def test_every_image_of_a_real_set_is_read(shared_dir, name, images, distinct):
    """All are accepted, and identical bytes have one hash."""
    source, _ = open_source(shared_dir / "datasets" / name)
    paths = [e.path for e in source.files() if e.path.endswith(".jpg")]
    hashes = {probe_image(source.read(p)).content_hash for p in paths}
    assert (len(paths), len(hashes)) == (images, distinct)


def test_photos_of_many_cameras_stand_upright(shared_dir):
    """Size and pixels agree with Pillow's own EXIF handling, on all 32."""
    source, _ = open_source(shared_dir / "datasets" / "exif_photos")
    told = {
        f"images/{row['file']}": int(row["orientation"] or 1)
        for row in csv.DictReader(io.StringIO(source.read("metadata.csv").decode()))
    }
    for path, orientation in told.items():
        data = source.read(path)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        info = probe_image(data)
        assert (info.width, info.height) == upright.size
        assert info.orientation == (orientation if 1 <= orientation <= 8 else 1)
        assert open_upright(data).tobytes() == upright.tobytes()


def test_ten_thousand_images_are_read_from_an_archive(shared_dir):
    """A real archive lists all its images."""
    source, _ = open_source(shared_dir / "datasets" / "cifar10n" / "train_00000_09999.zip")
    entries = source.files()
    assert len(entries) == 10_000
    assert probe_image(source.read(entries[-1].path)).width == 32
