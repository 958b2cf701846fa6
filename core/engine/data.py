"""Load the pairs and photos that a script's flags select."""
import numpy as np

from core.datasets import fit_short_edge, get_source, load_dataset, load_image, to_tensor


def load_phase(options, phase, vocab, **reading):
    """Open a phase of the data set of `options`; `reading` are more arguments of PairDataset. Raises UserError."""
    return load_dataset(options.dataset, phase, options.session, vocab, options.data_root,
                        data_mode=options.data_mode, **reading)


def read_phase(options, phase):
    """Return (path of a phase's annotation file, its entries) without opening the images. Raises UserError."""
    return get_source(options.dataset).reader.read(data_root(options), phase, options.session, options.data_mode)


def load_photos(options, count, short_edge):
    """Return {name: image (3, H, W)}: `count` distinct input photos of `options.phase`, evenly spaced through it."""
    path, entries = read_phase(options, options.phase)
    names = sorted({entry["input"] for entry in entries})
    chosen = np.linspace(0, len(names) - 1, min(len(names), count)).round().astype(int)
    return {names[index]: to_tensor(fit_short_edge(load_image(path.parents[1] / "images" / names[index]), short_edge))
            for index in chosen}


def data_root(options):
    """Return the folder of the data set of `options`."""
    return options.data_root or get_source(options.dataset).root
