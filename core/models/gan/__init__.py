"""Parts of adversarial image-to-image networks."""
