"""Constants of the operators, which the PyTorch functions and the compiled kernels share."""

EPSILON = 1e-6

# functions
LUMINANCE = (0.27, 0.67, 0.06)
CURVE_STEPS = 8

# light
KNEE = 0.4                           # of linear light: the shoulder begins here
BASE, BASE_VARIANCE = 0.02, 0.0025   # radius of the base layer in long edges; variance that counts as an edge

# colours. Natural logarithms of the gains of the cones L, M and S at 1. Temperature has the direction from D65 to D50
# and moves the mean b* of photos by about 8; green-magenta moves their mean a* by as much.
TEMPERATURE, MAGENTA = (0.055, -0.02, -0.28), (0.045, -0.09, 0.045)
BORDER = 0.93                   # share of the way from grey to the gamut's border that a stronger colour may reach
SKIN, SKIN_WIDTH = 0.9, 0.45    # hue of skin in OKLCh (52 degrees) and its spread, in radians
BANDS = {"red": 29, "orange": 60, "yellow": 105, "green": 142, "aqua": 195, "blue": 260, "purple": 305, "magenta": 345}

# detail and layers
NOISE = 0.01        # of luma: smaller details count as noise, which sharpening spares
HALO = 0.05         # of luma: sharpening by amount 1 exceeds the lightest and darkest neighbour by at most this
DARKEST = 0.001     # share of the pixels with the largest dark channel, whose mean colour is the airlight
REDUCED_RADIUS = 4  # pixels: a picture is reduced until the radius of its filter is about this

# effects
DOUBLINGS = 5         # a radial blur is the mean of 2^5 turned copies
BLURRED_SIDE = 1500   # pixels: a radial blur reduces a picture by a whole number until its long edge is about this
