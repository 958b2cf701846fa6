"""LDIE: from a photo and a request in plain words to a readable, replayable edit."""
