"""Recipes that train scripts share."""
