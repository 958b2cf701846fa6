"""Photo jobs and the workbench."""
