"""Language: the wish, the reader (words to wishes), the grammar (wishes to words), and spelling."""
