"""A small set in the layout of refer: one photo, two dogs and a cat."""
import json
import pickle

import numpy as np
from PIL import Image

from core.datasets.refcoco import IMAGES

SQUARE = [[10, 10, 30, 10, 30, 30, 10, 30]]


def write_refcoco(root, refs=None):
    """Write the set, or one with other `refs`, and its photo; return the folder that holds them."""
    (root / IMAGES).mkdir(parents=True)
    Image.fromarray(np.full((50, 80, 3), 90, np.uint8)).save(root / IMAGES / "a.jpg")
    folder = root / "refcoco"
    folder.mkdir(parents=True)
    refs = refs if refs is not None else [
        {"ref_id": 2, "ann_id": 7, "image_id": 5, "category_id": 1, "split": "testA", "sent_ids": [1],
         "sentences": [{"sent_id": 1, "sent": "the left dog", "tokens": ["the", "left", "dog"]}]},
        {"ref_id": 1, "ann_id": 9, "image_id": 5, "category_id": 2, "split": "train", "sent_ids": [0],
         "sentences": [{"sent_id": 0, "sent": "cat"}, {"sent_id": 3, "sent": "the cat"}]}]
    with open(folder / "refs(unc).p", "wb") as file:
        pickle.dump(refs, file, protocol=2)
    boxes = {8: (1, [[40, 10, 60, 10, 60, 30]]), 7: (1, SQUARE), 9: (2, {"size": [50, 80], "counts": [10, 5, 3985]})}
    (folder / "instances.json").write_text(json.dumps({
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "images": [{"id": 5, "file_name": "a.jpg", "height": 50, "width": 80}],
        "annotations": [{"id": number, "image_id": 5, "category_id": category, "segmentation": segmentation}
                        for number, (category, segmentation) in boxes.items()]}))
    return root
