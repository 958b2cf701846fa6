"""The average of a network's weights over the iterations, which is validated and tested in place of the network."""
from core.engine.options import number
from core.engine.run import MAIN
from core.models.gan.ema import EMA


def average_weights(run, decay):
    """Return the EMA of a run's tested network, saved with the run as the network "average"; None with decay 0.

    Tests load the average where a checkpoint holds one. Call this function after `run.setup` of the network.
    """
    if not decay:
        return None
    average = EMA(run.networks[MAIN], decay, updates=run.iteration)   # one update per iteration
    run.keep(average.network, "average")
    return average


def add_average(group):
    """Add the flag --ema to a group of flags."""
    group.add_argument("--ema", type=number(float, 0, 0.999999), default=0.0, metavar="DECAY", help="validate and test "
                       "the exponential moving average of the weights with this decay, such as 0.999; with 0, the "
                       "weights themselves (default: 0)")
