"""Measures of edits: against targets (image, lpips, fid) and against the words (obedience, attributes, language)."""
