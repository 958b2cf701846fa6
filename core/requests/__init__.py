"""Language: words and wishes."""
