"""The kit of adversarial image-to-image networks."""
