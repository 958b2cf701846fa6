"""RefCOCO in its published layout: sentences, polygons, splits, and pickles that would run code."""
import pickle

import pytest
from small_refcoco import write_refcoco

from core.datasets.refcoco import RefCOCO, read_refs
from core.files import UserError


def test_sentences_and_things_are_read_in_the_order_of_their_ids(tmp_path):
    found = RefCOCO(write_refcoco(tmp_path))
    assert [(query.words, query.ids) for query in found.queries("train")] == [("cat", (2,)), ("the cat", (2,))]
    assert [(query.words, query.ids) for query in found.queries("test")] == [("the left dog", (0,))]
    proposals = found.proposals("a.jpg")
    assert proposals.names == ("dog", "dog", "cat")
    assert proposals.size == (50, 80) and proposals.boxes[0].tolist() == [10, 10, 20, 20]
    assert proposals.arrays[2].sum() == 5


class Bomb:
    def __reduce__(self):
        return print, ("this must not be printed",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path, capsys):
    write_refcoco(tmp_path, [{"ref_id": Bomb()}])
    with pytest.raises(UserError, match=r"refs\(unc\).p: not a pickle of references .*plain values only"):
        RefCOCO(tmp_path)
    assert "must not" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({"a": 1})])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "refs.p"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"refs.p: not"):
        read_refs(path)


def test_a_reference_without_its_thing_is_named(tmp_path):
    write_refcoco(tmp_path, [{"ref_id": 4, "ann_id": 99, "image_id": 5, "split": "train",
                              "sentences": [{"sent": "a"}]}])
    with pytest.raises(UserError, match="reference 4: does not fit instances.json"):
        RefCOCO(tmp_path).queries("train")
