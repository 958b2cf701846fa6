"""Two data sets as one: mixed, or side by side."""
from torch.utils.data import Dataset


class Mixed(Dataset):
    """Samples of two data sets, evenly mixed. The first comes round again until the second is through."""

    def __init__(self, first, second, share):
        """Mix; `share`, in (0, 1], of the samples are the second's. Both give the same fields."""
        self.first, self.second, self.share = first, second, share

    def __len__(self):
        return int(len(self.second) / self.share)

    def __getitem__(self, index):
        before, after = int(index * self.share), int((index + 1) * self.share)   # how many of the second so far
        return self.second[before] if after > before else self.first[(index - before) % len(self.first)]


class Beside(Dataset):
    """Samples of a data set, each with one of another, as a dict of its own, under "words".

    The shorter comes round again until the longer is through: a few pairs do not limit the sentences beside them.
    """

    def __init__(self, pairs, words):
        """Put `words` beside `pairs`."""
        self.pairs, self.words = pairs, words

    def __len__(self):
        return max(len(self.pairs), len(self.words))

    def __getitem__(self, index):
        return {**self.pairs[index % len(self.pairs)], "words": self.words[index % len(self.words)]}
