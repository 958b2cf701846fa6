"""MiniLM (Wang et al. 2020) with fixed weights and trained low-rank adapters (LoRA, Hu et al. 2022).

The fixed weights come from a package, so a checkpoint holds the adapters only. The layers are written in plain torch:
`transformers` takes seconds to import, and its layers are a fifth slower for one short sentence.
"""
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional


class AdaptedMiniLM(nn.Module):
    """The encoder all-MiniLM-L6-v2: ids of word pieces -> a state for each piece."""

    def __init__(self, folder: Path, rank: int, dropout: float = 0.0) -> None:
        """Load the weights from `folder`; `rank` is the rank of the adapters, 0 for no adapters."""
        from safetensors.torch import load_file
        super().__init__()
        weights = load_file(folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.size = config["hidden_size"]
        _keep(self, words=weights["embeddings.word_embeddings.weight"],
              places=weights["embeddings.position_embeddings.weight"]
              + weights["embeddings.token_type_embeddings.weight"][0])
        self.norm = _Norm(weights, "embeddings.LayerNorm")
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            _Layer(weights, f"encoder.layer.{number}.", config["num_attention_heads"], rank, dropout)
            for number in range(config["num_hidden_layers"]))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Encode `ids` (B, L), 0 = padding: return states (B, L, size)."""
        present = (ids > 0)[:, None, None] if (ids == 0).any() else None   # a mask slows the attention down
        states = self.dropout(self.norm(self.words[ids] + self.places[:ids.shape[1]]))
        for layer in self.layers:
            states = layer(states, present)
        return states

    def merge(self) -> None:
        """Add the adapters to the weights, for inference only: the same result in less time."""
        for part in self.modules():
            if isinstance(part, _Adapted):
                part.merge()


class _Layer(nn.Module):
    def __init__(self, weights, name, heads, rank, dropout):
        super().__init__()
        parts = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.attend = _Adapted(weights, parts, rank)
        self.mix = _Adapted(weights, [f"{name}attention.output.dense"], rank)
        self.widen = _Adapted(weights, [f"{name}intermediate.dense"], rank)
        self.narrow = _Adapted(weights, [f"{name}output.dense"], rank)
        self.norms = nn.ModuleList(_Norm(weights, f"{name}{part}output.LayerNorm") for part in ("attention.", ""))

    def forward(self, states, present):
        batch, length, size = states.shape
        query, key, value = self.attend(states).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, present)
        states = self.norms[0](states + self.dropout(self.mix(seen.transpose(1, 2).reshape(batch, length, size))))
        return self.norms[1](states + self.dropout(self.narrow(functional.gelu(self.widen(states)))))


class _Adapted(nn.Module):
    """A fixed linear map, of one or more stacked matrices, plus a trained map of low rank."""

    def __init__(self, weights, names, rank):
        super().__init__()
        _keep(self, weight=torch.cat([weights[f"{name}.weight"] for name in names]),
              bias=torch.cat([weights[f"{name}.bias"] for name in names]))
        rows, columns = self.weight.shape
        self.rank = rank
        if rank:
            self.down = nn.Parameter(torch.randn(rank, columns) / columns ** 0.5)
            self.up = nn.Parameter(torch.zeros(rows, rank))   # 0, so that training starts from the fixed layer

    def forward(self, states):
        mapped = functional.linear(states, self.weight, self.bias)
        return mapped + states @ self.down.T @ self.up.T if self.rank else mapped

    @torch.no_grad()
    def merge(self):
        if self.rank:
            self.weight += self.up @ self.down
            self.rank = 0


class _Norm(nn.Module):
    def __init__(self, weights, name):
        super().__init__()
        _keep(self, weight=weights[f"{name}.weight"], bias=weights[f"{name}.bias"])

    def forward(self, states):
        return functional.layer_norm(states, self.weight.shape, self.weight, self.bias, 1e-12)


def _keep(module, **tensors):
    """Register fixed tensors in a module; its state dict does not hold them."""
    for name, tensor in tensors.items():
        module.register_buffer(name, tensor, persistent=False)
