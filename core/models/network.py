"""The base class of trained networks: plain values and tensors describe a network, and rebuild it."""
from dataclasses import asdict

from torch import nn

from core.files import UserError

# Old names of layers, by the class of the network: a checkpoint written under the old names still loads. A row applies
# wherever its dotted name stands in a key of the weights; rows apply in order.
RENAMED = {
    "Planner": {"read": "request_encoder", "look": "visual_encoder", "see": "visual_projection",
                "attend": "attention", "combine": "attention_projection", "choose": "operator_head"},
    "Critic": {"read": "request_encoder", "see": "visual_projection", "look_up": "query_projection",
               "attend": "attention", "understand": "request_projection", "judge": "score_head"},
    "MultiScaleDiscriminator": {"read": "request_encoder", "condition": "request_projection",
                                "strided": "strided_blocks", "join": "joint_block", "judge": "logit_head"},
}
_TRUNK = {"read": "request_encoder", "fuse.words": "fusion.sentence_projection",
          "fuse.image": "fusion.image_projection", "fuse.pool": "fusion.output_projection",
          "fuse.mix": "fusion.mixing_block", "encode": "encoder", "decode": "decoder", "out": "output",
          "inner": "global_generator", "down": "down_blocks", "up": "up_blocks"}
RENAMED |= {"Generator": _TRUNK, "FilterBank": _TRUNK | {"choose": "weight_head"}}


class Network(nn.Module):
    """A network with a `config`, a frozen dataclass of plain values and tuples, of the class `Config`."""

    Config: type
    config: object

    def checkpoint(self):
        """Return plain values and tensors from which `from_checkpoint` rebuilds the network."""
        return {"class": type(self).__name__,
                "config": {key: list(value) if isinstance(value, tuple) else value
                           for key, value in asdict(self.config).items()}, "weights": self.state_dict()}

    @classmethod
    def from_checkpoint(cls, saved, source="checkpoint", **options):
        """Rebuild the network; `options` go to its constructor. Raises UserError where it is of another version.

        Checkpoints of before the class was stored, and those with old names of layers, load as well.
        """
        try:
            if (stored := saved.get("class", cls.__name__)) != cls.__name__:
                raise TypeError(f"it holds a {stored}")
            config = {key: tuple(value) if isinstance(value, list) else value for key, value in saved["config"].items()}
            network = cls(cls.Config(**config), **options)
            network.load_state_dict(saved["weights"])
        except (TypeError, KeyError, RuntimeError) as error:
            raise UserError(f"{source}: does not fit this version's {cls.__name__} or operator table, or is of another "
                            f"method; train again ({str(error).splitlines()[-1].strip()})") from None
        return network

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Rename old keys first; torch calls this from `load_state_dict` with a copy of the caller's dict."""
        for key in [key for key in state_dict if key.startswith(prefix)]:
            state_dict[prefix + current_name(type(self).__name__, key.removeprefix(prefix))] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def current_name(network, key):
    """Return the name under which a network's class, given by name, now keeps the weight `key` of a checkpoint."""
    dotted = f".{key}"
    for old, new in RENAMED.get(network, {}).items():
        dotted = dotted.replace(f".{old}.", f".{new}.")
    return dotted[1:]
