"""Facts on the formats of exports that the command line shows; no library is needed to read them."""

EXPORT_SUFFIXES = (".json", ".cube", ".png", ".xmp", ".pp3")
LUT_SIZES = (17, 33, 65)
