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

    def report(self):
        """Return what a user should know of each part, as a list of sentences."""
        return [*self.first.report(), *self.second.report()]


class Beside(Dataset):
    """Samples of a data set, each with one of another, as a dict of its own, under "words"."""

    def __init__(self, pairs, words):
        """Put `words`, which comes round again until it is through, beside `pairs`."""
        self.pairs, self.words = pairs, words

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return {**self.pairs[index], "words": self.words[index % len(self.words)]}
