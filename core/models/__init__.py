"""Networks: they read words and look at thumbnails, and predict plans."""
