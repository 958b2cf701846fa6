"""A trained image generator as a method: batches, sizes, and photos that it refuses."""
import pytest
import torch
from PIL import Image

from core.files import UserError
from core.methods import generator as images
from core.methods.generator import ImageMethod, load_photo
from core.models.gan.filter_bank import FilterBank, FilterBankConfig
from core.models.gan.generators import Generator, GeneratorConfig

WORDS = ("<NONE>", "<START>", "<END>", "<UNK>", "make", "it", "brighter", "darker", "warmer")
REQUESTS = ["make it brighter", "darker", "make it brighter", "warmer warmer"]


@pytest.fixture(params=["Generator", "FilterBank"])
def method(request):
    torch.manual_seed(0)
    network = (Generator(GeneratorConfig(WORDS, "resnet_1blocks", "FiLM", 4, "instance", 6, 8, 5, False))
               if request.param == "Generator" else
               FilterBank(FilterBankConfig(WORDS, "unet_16", 3, False, 4, "instance", 8, 5, False)))
    return ImageMethod(network, "cpu")


def test_requests_in_batches_of_any_size_are_answered_as_one_by_one(method, monkeypatch):
    image = torch.rand(3, 22, 30)
    several = method.edits(image, REQUESTS)
    monkeypatch.setattr(images, "AT_ONCE", 2 * 22 * 30)
    for request, edited, again in zip(REQUESTS, several, method.edits(image, REQUESTS), strict=True):
        assert edited.image.shape == image.shape and edited.plan is None
        torch.testing.assert_close(method(image, request).image, edited.image)
        torch.testing.assert_close(again.image, edited.image)
    torch.testing.assert_close(several[0].image, several[2].image)
    assert not torch.allclose(several[0].image, several[1].image, atol=1e-6)


def test_a_picture_of_the_page_that_will_be_replaced_is_refused(tmp_path, photo):
    page, link = tmp_path / "demo" / "web", tmp_path / "link"
    (page / "images" / "0").mkdir(parents=True)
    link.symlink_to(page)
    Image.fromarray(photo()).save(page / "images" / "0" / "cat.png")
    for folder in (page, link):
        with pytest.raises(UserError, match=r"cat\.png: is a picture of the page .*, which will be overwritten; copy"):
            load_photo(str(folder / "images" / "0" / "cat.png"), page)
    (page / "images" / "0" / "cat.png").rename(tmp_path / "cat.png")
    assert load_photo(str(tmp_path / "cat.png"), page)[1].shape == photo().shape


def test_the_method_reports_the_size_at_which_it_works(method):
    assert method.about["works at"].startswith(
        f"the photo's size, padded to a multiple of {method.generator.divisor}; trained at 128")


def test_a_photo_above_the_limit_is_refused_not_shrunk(method, monkeypatch):
    monkeypatch.setattr(images, "MOST_PIXELS", 20 * 20)
    assert method.edits(torch.rand(3, 20, 20), REQUESTS[:1])[0].image.shape == (3, 20, 20)
    with pytest.raises(UserError, match=r"21 x 20 pixels is too large for an image generator .*--short_edge"):
        method.edits(torch.rand(3, 20, 21), REQUESTS[:1])
