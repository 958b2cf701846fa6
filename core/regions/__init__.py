"""Regions of an image: masks."""
