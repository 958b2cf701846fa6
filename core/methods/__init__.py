"""What can edit a photo."""
