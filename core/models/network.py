"""The base class of trained networks: a checkpoint of plain values and tensors is enough to rebuild a network."""
import contextlib
import math
from dataclasses import asdict, fields
from typing import get_args, get_origin

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from core.files import FOREIGN, UserError, last_line, naming

LARGEST = 2048    # the largest whole number in a configuration, unless a weight has a longer side
SPARE = 1000, 1 << 26   # weights, and numbers in them, that a network may have beyond its checkpoint, such as MiniLM

# Old names of layers, by the class of the network, so that a checkpoint with old names still loads. A row replaces its
# dotted name anywhere in the key of a weight. Rows apply in order.
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
    """A network with a `config`, which is a frozen dataclass `Config` of plain values and tuples."""

    Config: type
    config: object

    def checkpoint(self):
        """Return plain values and tensors from which `from_checkpoint` rebuilds the network."""
        return {"class": type(self).__name__,
                "config": {key: list(value) if isinstance(value, tuple) else value
                           for key, value in asdict(self.config).items()}, "weights": self.state_dict()}

    @classmethod
    def from_checkpoint(cls, saved, source="checkpoint", **options):
        """Rebuild the network from the dict that `checkpoint` returned; `options` go to its constructor.

        Raises UserError, which begins with `source` and names the field, where the configuration or the weights belong
        to another network or version, have a wrong type, or are not finite.
        """
        config = cls.read_config(saved, source)
        weights = saved["weights"]
        try:
            with naming(source), _not_far_more_than(weights.values()):
                network = cls(config, **options)
            network.load_state_dict(dict(weights))
        except FOREIGN as error:
            raise cls._misfit(source, last_line(error)) from error
        for name, value in network.state_dict().items():
            if not value.isfinite().all():
                raise UserError(f"{source}: weights.{name} has NaN or infinite numbers; take another checkpoint or "
                                f"train again")
        return network

    @classmethod
    def read_config(cls, saved, source="checkpoint"):
        """Return the `Config` in the dict that `checkpoint` returned; build nothing. Raises UserError as above."""
        for part in ("config", "weights"):
            if not isinstance(saved, dict) or not isinstance(saved.get(part), dict):
                raise cls._misfit(source, f"it has no {part}")
        stored = saved.get("class", cls.__name__)   # older checkpoints name no class
        if not isinstance(stored, str):
            raise cls._misfit(source, "its class is not text")
        if stored != cls.__name__:
            raise cls._misfit(source, f"it holds a {stored[:60]}")
        for name, weight in saved["weights"].items():
            if not isinstance(name, str):
                raise cls._misfit(source, "a name in weights is not text")
            if not _is_dense(weight):
                raise cls._misfit(source, f"weights.{name} is not a dense tensor")
        try:
            config = cls.Config(**{key: tuple(value) if isinstance(value, list) else value
                                   for key, value in saved["config"].items()})
        except TypeError as error:
            raise cls._misfit(source, last_line(error)) from error
        largest = max([LARGEST, *(side for weight in saved["weights"].values() for side in weight.shape)])
        for field in fields(cls.Config):
            value = getattr(config, field.name)
            if not _is(value, field.type):
                raise cls._misfit(source, f"config.{field.name} is not of type "
                                          f"{getattr(field.type, '__name__', field.type)}")
            if field.type is int and not 0 < value <= largest:
                raise cls._misfit(source, f"config.{field.name} is not from 1 to {largest}")
        return config

    @classmethod
    def _misfit(cls, source, reason):
        return UserError(f"{source}: does not fit this version's {cls.__name__} or operator table, or is of another "
                         f"method; take another checkpoint or train again ({reason})")

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Rename old keys first; torch calls this from `load_state_dict` with a copy of the caller's dict."""
        for key in [key for key in state_dict if key.startswith(prefix)]:
            state_dict[prefix + current_name(type(self).__name__, key.removeprefix(prefix))] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def current_name(network, key):
    """Return the current name of the weight `key` of a checkpoint; `network` is the name of the network's class."""
    dotted = f".{key}"
    for old, new in RENAMED.get(network, {}).items():
        dotted = dotted.replace(f".{old}.", f".{new}.")
    return dotted[1:]


def _is_dense(weight):
    """Whether a value is a tensor that stores each of its numbers; an expanded tensor could claim any size."""
    return (isinstance(weight, torch.Tensor) and weight.layout is torch.strided and not weight.is_meta
            and weight.numel() * weight.element_size() <= weight.untyped_storage().nbytes())


def _is(value, kind):
    """Whether a plain value is of an annotated type: int, float (also whole numbers), str, bool, None, tuple, union."""
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is(part, get_args(kind)[0]) for part in value)
    if get_args(kind):
        return any(_is(value, part) for part in get_args(kind))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is kind


@contextlib.contextmanager
def _not_far_more_than(weights):
    """Raise ValueError as soon as the block builds modules with far more weights, or numbers in them, than `weights`.

    The check runs before a parameter is filled, so a parameter that is too large for the memory is never filled.
    """
    built = [0, 0]
    most = [4 * known + spare for known, spare in zip(
        (len(weights), sum(weight.numel() for weight in weights)), SPARE, strict=True)]

    def see(module, name, parameter):
        for index, more in enumerate((1, 0 if parameter is None else parameter.numel())):
            built[index] += more
            if built[index] > most[index]:
                raise ValueError("its configuration describes a network that is far larger than its weights")

    hook = register_module_parameter_registration_hook(see)
    try:
        yield
    finally:
        hook.remove()
