"""Finding regions of a photo: by rules, by detectors, and by the words of a request."""
