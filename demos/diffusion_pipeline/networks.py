"""The two networks of the image generator. B is the batch.

The autoencoder turns a picture into 64 short vectors ("latents") and back; the transformer learns
to take the noise out of latents, told by a caption what the picture shows. So the slow part works
on 512 numbers instead of 12,288 (Rombach et al., "High-Resolution Image Synthesis with Latent
Diffusion Models", 2022; Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3x3 convolutions beside a straight path."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            *(nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, 1, 1)),
            *(nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, 1, 1)),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.body(hidden)


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the height and width."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, 1, 1), nn.PixelShuffle(2))


class Autoencoder(ModelMixin, ConfigMixin):
    """Pictures [B, 3, 64, 64] in -1..1 <-> latents [B, 8, 8, 8]. 1.05M parameters."""

    @register_to_config
    def __init__(self, latent_channels: int = 8, widths: tuple[int, int, int] = (24, 48, 96)):
        super().__init__()
        a, b, c = widths
        self.encoder = nn.Sequential(
            *(nn.PixelUnshuffle(2), nn.Conv2d(12, a, 3, 1, 1), Residual(a)),
            *(nn.Conv2d(a, b, 3, 2, 1), Residual(b)),
            *(nn.Conv2d(b, c, 3, 2, 1), Residual(c), Residual(c)),
            *(nn.GroupNorm(8, c), nn.SiLU(), nn.Conv2d(c, 2 * latent_channels, 1)),
        )
        self.decoder = nn.Sequential(
            *(nn.Conv2d(latent_channels, c, 3, 1, 1), Residual(c), Residual(c)),
            *(double(c, b), Residual(b)),
            *(double(b, a), Residual(a), Residual(a)),
            *(nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, 12, 3, 1, 1), nn.PixelShuffle(2)),
        )
        # Measured after training, so that the transformer sees latents of mean 0 and deviation 1.
        self.register_buffer("mean", torch.zeros(latent_channels, 1, 1))
        self.register_buffer("deviation", torch.ones(latent_channels, 1, 1))

    def posterior(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the raw latents, each [B, 8, 8, 8]."""
        mean, log_variance = self.encoder(pictures).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 4)

    def encode(self, pictures: Tensor) -> Tensor:
        """The most likely latents, [B, 8, 8, 8], scaled to deviation 1."""
        return (self.posterior(pictures)[0] - self.mean) / self.deviation

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B, 3, 64, 64] in -1..1."""
        return self.decoder(latents * self.deviation + self.mean).clamp(-1, 1)


class Block(nn.Module):
    """Attention and a small network, both steered by time, caption and style (adaLN-Zero)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.steer = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.steer.weight)  # a block starts as doing nothing
        nn.init.zeros_(self.steer.bias)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate, shift2, scale2, gate2 = self.steer(condition)[:, None].chunk(6, dim=-1)
        tokens = tokens + gate * self.attend(normed(tokens) * (1 + scale) + shift)
        hidden = self.widen(normed(tokens) * (1 + scale2) + shift2)
        return tokens + gate2 * self.narrow(F.gelu(hidden, approximate="tanh"))

    def attend(self, tokens: Tensor) -> Tensor:
        batch, length, width = tokens.shape
        parts = self.queries_keys_values(tokens).view(batch, length, 3, self.heads, -1)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)  # each [B, heads, length, width/heads]
        mixed = F.scaled_dot_product_attention(queries, keys, values)
        return self.mix(mixed.transpose(1, 2).reshape(batch, length, width))


def normed(tokens: Tensor) -> Tensor:
    return F.layer_norm(tokens, tokens.shape[-1:])


class CaptionTransformer(ModelMixin, ConfigMixin):
    """Noisy latents, time, caption and style -> its guess of the clean latents, [B, 8, 8, 8]."""

    @register_to_config
    def __init__(
        self,
        width: int = 192,
        depth: int = 8,
        heads: int = 4,
        latent_channels: int = 8,
        side: int = 8,  # latents are side x side
        patch: int = 2,  # patch x patch latents make one token
        text_width: int = 384,  # MiniLM's
        styles: int = 2,
    ):
        super().__init__()
        values = latent_channels * patch**2
        self.patch = patch
        self.read_latents = nn.Linear(values, width)
        self.read_caption = nn.Linear(text_width, width)
        self.read_time = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        self.place = nn.Parameter(torch.randn(1, (side // patch) ** 2, width) * 0.02)
        self.style = nn.Embedding(styles, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.write = nn.Linear(width, values)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(
        self,
        noisy: Tensor,  # [B, 8, 8, 8]
        time: Tensor,  # [B], 0 = noise, 1 = clean
        caption: Tensor,  # [B, 384], MiniLM's sentence embedding, of length 1
        style: Tensor,  # [B], whole numbers
    ) -> Tensor:
        caption = self.read_caption(caption * caption.shape[-1] ** 0.5)  # of deviation 1
        condition = F.silu(self.read_time(waves(time)) + caption + self.style(style))
        patches = F.pixel_unshuffle(noisy, self.patch)  # [B, 32, 4, 4]
        tokens = (
            self.read_latents(patches.flatten(2).transpose(1, 2)) + self.place
        )  # [B, 16, width]
        for block in self.blocks:
            tokens = block(tokens, condition)
        clean = self.write(normed(tokens)).transpose(1, 2).reshape(patches.shape)
        return F.pixel_shuffle(clean, self.patch)


def waves(time: Tensor) -> Tensor:
    """[B] in 0..1 -> [B, 128] sines and cosines from slow to fast."""
    rates = 1000 * torch.exp(-math.log(1e4) * torch.arange(64, device=time.device) / 64)
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
