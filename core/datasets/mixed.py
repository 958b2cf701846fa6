"""Two data sets as one: mixed, or side by side in each sample."""
from torch.utils.data import Dataset


class Mixed(Dataset):
    """Samples of two data sets, interleaved. An epoch has each sample of the second set once; the first set repeats."""

    def __init__(self, first, second, share):
        """Mix two data sets with the same fields; `share`, in (0, 1], of the samples are from the second."""
        self.first, self.second, self.share = first, second, share

    def __len__(self):
        return int(len(self.second) / self.share)

    def __getitem__(self, index):
        before, after = int(index * self.share), int((index + 1) * self.share)   # samples of the second so far
        return self.second[before] if after > before else self.first[(index - before) % len(self.first)]


class Beside(Dataset):
    """Samples of a data set; the field "words" of each holds a sample (a dict) of another data set.

    The shorter data set repeats until the end of the longer one, so a few pairs do not limit the number of sentences.
    """

    def __init__(self, pairs, words):
        """Combine the data sets `pairs` and `words`."""
        self.pairs, self.words = pairs, words

    def __len__(self):
        return max(len(self.pairs), len(self.words))

    def __getitem__(self, index):
        return {**self.pairs[index % len(self.pairs)], "words": self.words[index % len(self.words)]}
