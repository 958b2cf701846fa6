"""What every trained network can do: describe itself as plain values and tensors, and be built again from them."""
from dataclasses import asdict

from torch import nn

from core.files import UserError


class Network(nn.Module):
    """A network with a `config`, a frozen dataclass of plain values and tuples, of the class `Config`."""

    Config: type
    config: object

    def checkpoint(self):
        """Return plain values and tensors from which `from_checkpoint` rebuilds the network."""
        return {"config": {key: list(value) if isinstance(value, tuple) else value
                           for key, value in asdict(self.config).items()}, "weights": self.state_dict()}

    @classmethod
    def from_checkpoint(cls, saved, source="checkpoint", **options):
        """Rebuild the network; `options` go to its constructor. Raises UserError where it is of another version."""
        try:
            config = {key: tuple(value) if isinstance(value, list) else value for key, value in saved["config"].items()}
            network = cls(cls.Config(**config), **options)
            network.load_state_dict(saved["weights"])
        except (TypeError, KeyError, RuntimeError) as error:
            raise UserError(f"{source}: does not fit this version's {cls.__name__} or operator table, or is of another "
                            f"method; train again ({str(error).splitlines()[-1].strip()})") from None
        return network
