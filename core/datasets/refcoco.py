"""RefCOCO, RefCOCO+ and RefCOCOg in the layout of refer (Kazemzadeh et al. 2014, Yu et al. 2016, Mao et al. 2016).

The folder of a set, such as refcoco+, holds `refs(<split by>).p` and `instances.json`. A reference has `ref_id`,
`ann_id`, `image_id`, `split` and `sentences`, and means one of the annotated things of its image; all annotated things
are its rivals. The photos are those of COCO train2014.
"""
import pickle
from pathlib import Path

from pycocotools import mask as coco

from core.datasets.grounding import Query
from core.datasets.proposals import Proposals
from core.files import UserError, read_json
from core.regions.mask import Mask

IMAGES = "images/mscoco/images/train2014"   # below the folder that holds the sets


class _Plain(pickle.Unpickler):
    """An unpickler of plain values: a pickle can call any function that it may find, so it finds none."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, but may hold plain values only")


def read_refs(path: Path | str) -> list[dict]:
    """Return the references of a pickle file, of Python 2 or 3, without running code that it may hold.

    Raises UserError if the file is missing, damaged, or holds anything but a list of plain values.
    """
    try:
        with open(path, "rb") as file:
            refs = _Plain(file, encoding="latin1").load()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; get it with refer (github.com/lichengunc/refer)") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:   # a damaged pickle can raise nearly anything
        raise UserError(f"{path}: not a pickle of references ({error}); get it again") from None
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise UserError(f"{path}: not a list of references; get it again")
    return refs


class RefCOCO:
    """A set of referring expressions: `queries` of a split, and `proposals` of a photo."""

    def __init__(self, root: Path | str, name: str = "refcoco", split_by: str = "unc") -> None:
        """Read the annotations of a set below `root`. Raises UserError naming file and field."""
        folder = Path(root) / name
        self.images = Path(root) / IMAGES
        self.path = folder / f"refs({split_by}).p"
        self.refs = sorted(read_refs(self.path), key=lambda ref: ref.get("ref_id", 0))
        instances = folder / "instances.json"
        content = read_json(instances)
        try:
            classes = {row["id"]: row["name"] for row in content["categories"]}
            self._photos = {row["id"]: (row["file_name"], row["height"], row["width"]) for row in content["images"]}
            self._things = {}
            for row in sorted(content["annotations"], key=lambda row: row["id"]):
                self._things.setdefault(row["image_id"], []).append(
                    (row["id"], classes[row["category_id"]], row["segmentation"]))
        except (KeyError, TypeError) as error:
            raise UserError(f"{instances}: not COCO's annotations ({type(error).__name__}: {error}); get it again"
                            ) from None
        self._numbers = {photo: number for number, (photo, *_) in self._photos.items()}

    def queries(self, split: str) -> list[Query]:
        """Return a Query for each sentence of a split; "test" stands for all splits that contain this word."""
        found = []
        for ref in self.refs:
            try:
                if ref["split"] != split and not (split == "test" and "test" in ref["split"]):
                    continue
                things = [thing for thing, *_ in self._things[ref["image_id"]]]
                photo = self._photos[ref["image_id"]][0]
                found += [Query(photo, sentence["sent"], (things.index(ref["ann_id"]),), group="expression",
                                source=photo) for sentence in ref["sentences"]]
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"{self.path}, reference {ref.get('ref_id')}: does not fit instances.json "
                                f"({type(error).__name__}: {error}); get both files again") from None
        return found

    def proposals(self, photo: str) -> Proposals:
        """Return the annotated things of a photo, by their ids."""
        number = self._numbers[photo]
        _, height, width = self._photos[number]
        things = self._things[number]
        try:
            masks = tuple(_mask(segmentation, height, width) for *_, segmentation in things)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise UserError(f"{self.path.parent / 'instances.json'}: a segmentation of {photo} cannot be read ({error})"
                            ) from None
        return Proposals(photo, masks, tuple(name for _, name, _ in things))


def _mask(segmentation, height, width):
    """Return the Mask of polygons, or of a run-length encoding with counts in a list or a text."""
    if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
        return Mask((height, width), segmentation["counts"])
    coded = coco.frPyObjects(segmentation, height, width)
    merged = coco.merge(coded) if isinstance(coded, list) else coded
    return Mask((height, width), merged["counts"].decode("ascii"))
