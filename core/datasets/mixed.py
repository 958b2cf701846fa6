"""Two data sets as one, in equal parts."""
from torch.utils.data import Dataset


class Mixed(Dataset):
    """Samples of two data sets in turn; the smaller one comes round again. Both give the same fields."""

    def __init__(self, *parts):
        self.parts = parts

    def __len__(self):
        return len(self.parts) * max(map(len, self.parts))

    def __getitem__(self, index):
        turn, part = divmod(index, len(self.parts))
        return self.parts[part][turn % len(self.parts[part])]

    def report(self):
        """Return what a user should know of each part, as a list of sentences."""
        return [sentence for part in self.parts for sentence in part.report()]
