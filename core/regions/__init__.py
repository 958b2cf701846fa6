"""Regions of a picture."""
