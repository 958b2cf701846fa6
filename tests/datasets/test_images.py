"""Decoding: every kind of file becomes 8-bit RGB or gets one error sentence; thumbnails are made once."""
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from core.datasets.images import Thumbnails, fit_short_edge, image_size, load_image, resize, squash, to_tensor
from core.files import UserError


def test_rgb_is_read_as_it_is(tmp_path, photo):
    Image.fromarray(photo()).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), photo())


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA"])
def test_other_modes_become_rgb(tmp_path, photo, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.fromarray(photo()).convert("L" if mode == "LA" else "RGB").convert(mode).save(path)
    image = load_image(path)
    assert image.shape == photo().shape
    assert image.dtype == np.uint8
    assert abs(image.mean() - photo().mean()) < 12


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    deep = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(load_image(tmp_path / "deep.png")[..., 1], np.rint(deep / 257))


def test_threads_read_sound_and_broken_files_at_once(tmp_path, photo):
    paths, exif = [], Image.Exif()
    exif[315] = "someone"
    for index in range(12):
        path = tmp_path / f"{index}.{('png', 'jpg', 'tif')[index % 3]}"
        Image.fromarray(photo(seed=index)).save(path, exif=exif)
        path.write_bytes(path.read_bytes()[:None if index % 4 else 300])
        paths.append(path)

    def read(path):
        try:
            return load_image(path).tobytes()
        except UserError as error:
            return str(error)

    limit = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, paths)) == list(map(read, paths))
    assert limit == Image.MAX_IMAGE_PIXELS
    assert sum(isinstance(read(path), str) for path in paths) == 3


def test_transparent_pixels_become_white(tmp_path):
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = 10, 20, 30, 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png")
    assert image[0, 0].tolist() == [10, 20, 30]
    assert image[1, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_turns_the_image(tmp_path, photo, suffix):
    image = Image.fromarray(photo(40, 60))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / f"a.{suffix}", exif=exif)
    turned = load_image(tmp_path / f"a.{suffix}")
    assert turned.shape == (60, 40, 3)
    assert np.abs(turned - np.rot90(photo(40, 60), -1).astype(float)).mean() < 12
    assert image_size(tmp_path / f"a.{suffix}") == (60, 40)


def test_another_colour_profile_is_converted_to_srgb(tmp_path):
    red = np.tile(np.uint8([200, 30, 30]), (4, 4, 1))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "GRBs".encode("utf-16-be"))  # its red is sRGB's green
    for name, profile in (("srgb", srgb), ("broken", b"no profile"), ("swapped", swapped)):
        Image.fromarray(red).save(tmp_path / f"{name}.png", icc_profile=profile)
    assert (load_image(tmp_path / "srgb.png") == red).all()
    assert (load_image(tmp_path / "broken.png") == red).all()
    assert np.abs(load_image(tmp_path / "swapped.png") - red[..., [1, 0, 2]].astype(float)).max() < 3


def test_files_that_are_no_images_are_refused_by_name(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "folder.jpg").mkdir()
    for name, reason in (("absent", "no such file"), ("empty", "0 bytes"), ("text", "not a picture"),
                         ("folder", "a folder")):
        with pytest.raises(UserError, match=rf"{name}\.jpg: .*{reason}"):
            load_image(tmp_path / f"{name}.jpg")
        with pytest.raises(UserError, match=reason):
            image_size(tmp_path / f"{name}.jpg")


def test_animated_gif_is_refused_and_a_still_one_read(tmp_path, photo):
    frames = [Image.fromarray(photo(seed=seed)) for seed in range(2)]
    frames[0].save(tmp_path / "still.gif")
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert load_image(tmp_path / "still.gif").shape == photo().shape
    with pytest.raises(UserError, match=r"moving\.gif: is an animated GIF"):
        load_image(tmp_path / "moving.gif")


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {}), ("jpg", {"progressive": True}), ("png", {}), ("tif", {})])
def test_truncated_files_are_refused(tmp_path, photo, suffix, options):
    Image.fromarray(photo()).save(tmp_path / f"whole.{suffix}", **options)
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    for share in (0.2, 0.5, 0.9):
        (tmp_path / f"cut.{suffix}").write_bytes(whole[:int(share * len(whole))])
        with pytest.raises(UserError, match=rf"cut\.{suffix}"):
            load_image(tmp_path / f"cut.{suffix}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP"]), cut=st.integers(0, 800),
       changes=st.lists(st.tuples(st.integers(0, 799), st.integers(0, 255)), max_size=8))
def test_a_damaged_file_gives_an_image_or_one_error_sentence(tmp_path, photo, kind, cut, changes):
    buffer = io.BytesIO()
    Image.fromarray(photo(12, 16)).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    for position, value in changes:
        data[position % len(data)] = value
    (tmp_path / "damaged").write_bytes(data[:len(data) - cut] if cut < len(data) else data)
    try:
        outcome = load_image(tmp_path / "damaged")
    except UserError as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert "damaged" in outcome
    else:
        assert outcome.dtype == np.uint8
        assert outcome.shape[2:] == (3,)


def test_to_tensor_has_the_documented_layout():
    image = np.array([[[255, 0, 51]]], np.uint8)  # 1x1
    tensor = to_tensor(image)
    assert tensor.shape == (3, 1, 1)
    assert tensor.dtype == torch.float32
    assert tensor.flatten().tolist() == pytest.approx([1, 0, 0.2])


def test_shrinking_averages_and_never_aliases():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(squash(stripes, 16) - 127.5).max() < 1
    assert np.abs(resize(stripes, 128, 16) - 127.5).max() < 1  # one side grows, the other shrinks


def test_one_pixel_squashes_to_a_constant():
    assert (squash(np.full((1, 1, 3), 77, np.uint8), 128) == np.full((128, 128, 3), 77)).all()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 200))
@settings(deadline=None, max_examples=40)
def test_fit_short_edge_keeps_the_aspect_and_never_grows(height, width, edge):
    fitted = fit_short_edge(np.zeros((height, width, 3), np.uint8), edge)
    rows, columns = fitted.shape[:2]
    assert min(rows, columns) == min(height, width, edge)
    assert abs(rows * width - columns * height) <= max(height, width)


@pytest.fixture
def folder(tmp_path, photo):
    for seed, name in enumerate(("a.png", "unter/größe.png", "b.png")):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(20 + seed, 30, seed)).save(tmp_path / "images" / name)
    return tmp_path / "images"


def test_thumbnails_are_decoded_once(folder, tmp_path, on_opening):
    names = ["b.png", "unter/größe.png", "a.png", "a.png"]
    made = Thumbnails(folder, names, 16, tmp_path / "cache")
    end = on_opening(OSError("a second decoding"), str(folder), writes=False)
    found = Thumbnails(folder, names, 16, tmp_path / "cache")
    end()
    assert len(made) == 3
    for thumbnails in (made, found, pickle.loads(pickle.dumps(made))):
        for name in names:
            np.testing.assert_array_equal(thumbnails[name], squash(np.array(Image.open(folder / name)), 16))
        assert thumbnails.original_size("b.png") == (22, 30)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npy"]


def test_a_changed_image_gets_a_new_thumbnail(folder, tmp_path, photo):
    before = Thumbnails(folder, ["a.png"], 16, tmp_path / "cache")["a.png"]
    Image.fromarray(photo(64, 64, seed=9)).save(folder / "a.png")
    after = Thumbnails(folder, ["a.png"], 16, tmp_path / "cache")["a.png"]
    assert (before != after).any()


def test_unreadable_images_are_named_and_leave_no_cache(folder, tmp_path):
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:200])
    with pytest.raises(UserError, match=r"1 images cannot be used.*a\.png.*--fix"):
        Thumbnails(folder, ["a.png", "b.png"], 16, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
