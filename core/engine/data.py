"""The pairs that a script's flags name."""
from core.datasets import get_source, open_dataset


def open_phase(options, phase, vocab, **reading):
    """Open a phase of the data set of `options`; `reading` is what else PairDataset takes. Raises UserError."""
    return open_dataset(options.dataset, phase, options.session, vocab, options.data_root,
                        data_mode=options.data_mode, **reading)


def read_phase(options, phase):
    """Return the path of a phase's annotation, and its entries, without looking at the images. Raises UserError."""
    return get_source(options.dataset).reader.read(data_root(options), phase, options.session, options.data_mode)


def data_root(options):
    """Return the folder of the data set of `options`."""
    return options.data_root or get_source(options.dataset).root
