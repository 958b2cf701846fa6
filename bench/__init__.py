"""Measurements of LDIE's speed and memory, against plain references that are kept in this folder."""
