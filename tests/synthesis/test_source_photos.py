"""Source photos: bundled photos exist and are credited, a folder is split by photo, bad photos are named."""
import cv2
import pytest

from core.datasets.annotations import PHASES
from core.files import UserError
from core.synthesis.photos import bundled, from_folder


@pytest.fixture()
def folder(tmp_path, photo):
    def make(count):
        for i in range(count):
            cv2.imwrite(str(tmp_path / f"p{i:02d}.png"), photo(70, 90, seed=i))
        return tmp_path
    return make


def test_bundled_photos_load_without_a_download_and_are_credited():
    photos = bundled()
    assert {photo.phase for photo in photos} == set(PHASES)
    assert len({photo.name for photo in photos}) == len(photos) == 7
    for photo in photos:
        pixels = photo.load()
        assert pixels.dtype == "uint8"
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert min(pixels.shape[:2]) >= 300
        assert photo.licence in ("CC0", "CC BY 2.0", "public domain")
        assert photo.author
        assert photo.source


@pytest.mark.parametrize(("count", "expected"), [(3, (1, 1, 1)), (10, (7, 1, 2)), (20, (14, 2, 4))])
def test_folder_is_split_by_photo(folder, count, expected):
    photos = from_folder(folder(count))
    assert tuple(sum(photo.phase == phase for photo in photos) for phase in PHASES) == expected
    assert photos[0].load().shape == (70, 90, 3)
    assert [photo.phase for photo in photos] == [photo.phase for photo in from_folder(folder(count))]


def test_folder_problems_are_named(folder, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        from_folder(tmp_path / "nowhere")
    with pytest.raises(UserError, match="has 2 photo"):
        from_folder(folder(2))
    folder(4)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UserError, match="empty.jpg"):
        from_folder(tmp_path)
    (tmp_path / "empty.jpg").unlink()
    cv2.imwrite(str(tmp_path / "tiny.png"), photo_of(8))
    with pytest.raises(UserError, match="tiny.png.*8 x 8"):
        from_folder(tmp_path)


def photo_of(side):
    return cv2.merge([cv2.getGaussianKernel(side, -1, cv2.CV_32F) * 255] * 3).repeat(side, axis=1)
