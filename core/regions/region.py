"""The region of a request: its words, the segment that they mean, and the mask of its steps."""
from dataclasses import dataclass

from core.regions.mask import Mask
from core.regions.segments import Segment

LEAST_SHARE, MOST_SHARE = 0.002, 0.95   # of the picture: regions beyond are told to the user


@dataclass(frozen=True)
class Region:
    """A region of a request: its words, the segment, and the mask of its steps."""

    words: str
    segment: Segment
    mask: Mask

    def __str__(self) -> str:
        about = f'"{self.words}": {self.segment.name} ({self.segment.source}), {self.segment.share:.1%} of the picture'
        warning = (", which is hardly visible" if self.segment.share < LEAST_SHARE else
                   ", which is nearly all of it" if self.segment.share > MOST_SHARE else "")
        return about + warning + (f"; {self.segment.remark}" if self.segment.remark else "")
