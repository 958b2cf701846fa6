"""Edits and pairs that are drawn at random, anew in every iteration."""
