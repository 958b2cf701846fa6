"""Variance over requests: how much the output changes when only the request changes."""

# Ten requests that ask for different edits of any photo. They are fixed, so that runs can be compared.
FIXED_REQUESTS = (
    "make the photo brighter",
    "darken the image a little",
    "increase the contrast",
    "the picture is too harsh, lower the contrast",
    "make the colors more vivid",
    "reduce the saturation, it looks too colorful",
    "give it a warmer tone",
    "make it look cooler, with more blue",
    "sharpen the image to bring out the details",
    "brighten the photo and add more contrast and color",
)


def request_variance(outputs):
    """Return the pixel variance over requests, averaged over pixels and channels.

    Args: `outputs` (R, 3, H, W), one photo edited by each of R requests, in [0, 1].

    Returns: float, the population variance; 0 for a method that ignores the request.
    """
    return outputs.double().var(0, correction=0).mean().item()
