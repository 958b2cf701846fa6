"""How good an edit is: against its target (image), among all (fid), against its words (language, attributes)."""
