"""The areas to which the steps of plans are limited, and the pictures of these areas, which a planner sees.

The picture of an area has the size of the whole picture and shows the box of the area; each pixel outside the area
repeats the nearest pixel inside. So a planner sees a region as it sees a whole photo, and sees the whole photo for an
area of the whole photo. `core.methods.local` shows a region in the same way to planners that have seen photos only.
"""
import torch

from core.regions.segments import seen_through


class Areas:
    """The areas of the steps of B plans; a step without an area takes the area of the step before it."""

    def __init__(self, masks: torch.Tensor) -> None:
        """Set the masks in [0, 1]: (B, 1, H, W) for all steps, or (B, T, 1, H, W), one for each step."""
        self.masks = (masks[:, None] if masks.dim() == 4 else masks).clone()
        empty = ~self.masks.flatten(2).any(2)
        for step in range(1, self.masks.shape[1]):
            again = empty[:, step]
            self.masks[again, step] = self.masks[again, step - 1]
        self._pixels = {}

    def mask(self, step: int) -> torch.Tensor:
        """Return the masks (B, 1, H, W) of a step; after the last step, those of the last."""
        return self.masks[:, min(step, self.masks.shape[1] - 1)]

    def pictures(self, image: torch.Tensor, step: int) -> torch.Tensor:
        """Return the pictures (B, 3, H, W) of a step's areas in `image` (B, 3, H, W)."""
        pixels = self._pixels_of(min(step, self.masks.shape[1] - 1))[:, None].expand(-1, image.shape[1], -1)
        return image.flatten(2).gather(2, pixels).view_as(image)

    def _pixels_of(self, step):
        """Return for each pixel of a step's pictures the index of the pixel that it shows, (B, H W)."""
        if step not in self._pixels:
            masks = self.masks[:, step, 0].cpu()
            if step and torch.equal(self.masks[:, step], self.masks[:, step - 1]):
                self._pixels[step] = self._pixels_of(step - 1)
            else:
                self._pixels[step] = torch.stack([seen_through(mask).flatten() for mask in masks]).to(self.masks.device)
        return self._pixels[step]
