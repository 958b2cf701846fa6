"""Edits of photo files, and the workbench in the browser."""
