"""The 133 classes of COCO's panoptic task, by the names that masks carry."""

THINGS = tuple("""
person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant|stop sign|parking meter|bench
bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|backpack|umbrella|handbag|tie|suitcase|frisbee|skis|snowboard
sports ball|kite|baseball bat|baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork|knife|spoon
bowl|banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch|potted plant|bed|dining table
toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave|oven|toaster|sink|refrigerator|book|clock|vase|scissors
teddy bear|hair drier|toothbrush
""".strip().replace("\n", "|").split("|"))
STUFF = tuple("""
banner|blanket|bridge|cardboard|counter|curtain|door-stuff|floor-wood|flower|fruit|gravel|house|light|mirror-stuff|net
pillow|platform|playingfield|railroad|river|road|roof|sand|sea|shelf|snow|stairs|tent|towel|wall-brick|wall-stone
wall-tile|wall-wood|water-other|window-blind|window-other|tree-merged|fence-merged|ceiling-merged|sky-other-merged
cabinet-merged|table-merged|floor-other-merged|pavement-merged|mountain-merged|grass-merged|dirt-merged|paper-merged
food-other-merged|building-other-merged|rock-merged|wall-other-merged|rug-merged
""".strip().replace("\n", "|").split("|"))
UPSNET = (*STUFF, *THINGS)   # the order of UPSNet (Xiong et al. 2019): stuff first

# COCO's stuff -> the names of core/requests/places.toml; the other names lose their endings ("wall-brick" -> "wall")
_RENAMED = {"sky-other": "sky", "sea": "water", "river": "water", "water-other": "water", "grass": "plants",
            "tree": "plants", "flower": "plants", "dirt": "ground", "gravel": "ground", "pavement": "road",
            "house": "building", "rug": "floor", "window-blind": "curtain", "table": "dining table"}
_ENDINGS = ("-merged", "-other", "-stuff", "-wood", "-brick", "-stone", "-tile")


def canonical(name: str) -> str:
    """Return the name by which core.requests.places calls a kind of COCO's stuff: "grass-merged" is "plants"."""
    name = name.removesuffix("-merged")
    if name in _RENAMED:
        return _RENAMED[name]
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name.replace("-", " ")
