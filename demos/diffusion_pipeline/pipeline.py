"""The image generator as a diffusers pipeline: a caption and a seed in, a picture out.

    pipeline = CaptionToPicture.from_folder(weights, minilm)
    picture = pipeline("a red heart", generator=torch.Generator().manual_seed(1)).images[0]

diffusers counts from noise (sigma 1) to clean (sigma 0) and expects the velocity noise - clean;
our transformer counts time as 1 - sigma and names the clean latents. `velocity` translates.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, ImagePipelineOutput
from PIL import Image
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from demos.diffusion_pipeline.networks import Autoencoder, CaptionTransformer


class CaptionToPicture(DiffusionPipeline):
    """Text to 64x64 pictures through latents and classifier-free guidance."""

    # MiniLM is fetched apart, so the weights folder names it but does not hold it.
    _optional_components: ClassVar[list[str]] = ["tokenizer", "text_encoder"]

    def __init__(
        self,
        autoencoder: Autoencoder,
        transformer: CaptionTransformer,
        scheduler: FlowMatchEulerDiscreteScheduler,
        tokenizer: PreTrainedTokenizerBase | None = None,
        text_encoder: PreTrainedModel | None = None,
    ):
        super().__init__()
        self.register_modules(
            autoencoder=autoencoder,
            transformer=transformer,
            scheduler=scheduler,
            tokenizer=tokenizer,
            text_encoder=text_encoder,
        )

    @classmethod
    def from_folder(cls, weights: Path, minilm: Path) -> CaptionToPicture:
        """From files alone; nothing is looked up on a hub."""
        tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
        text_encoder = AutoModel.from_pretrained(minilm, local_files_only=True).eval()
        return cls.from_pretrained(
            weights,
            tokenizer=tokenizer,
            text_encoder=text_encoder,
            dtype=torch.float32,  # stored in float16, which is slow on a CPU
            low_cpu_mem_usage=False,  # that would need accelerate, for 13 MB
            local_files_only=True,
        )

    @torch.inference_mode()
    def __call__(
        self,
        prompt: str | list[str],
        style: int = 0,
        num_inference_steps: int = 20,
        guidance_scale: float = 4.0,
        generator: torch.Generator | None = None,
    ) -> ImagePipelineOutput:
        """One picture a prompt. style: 0 Google-like, 1 Twitter-like."""
        stages = self.denoise(prompt, style, num_inference_steps, guidance_scale, generator)
        *_, latents = stages
        return ImagePipelineOutput(images=self.pictures(latents))

    @torch.inference_mode()
    def denoise(
        self,
        prompt: str | list[str],
        style: int,
        steps: int,
        guidance: float,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """Latents [B, 8, 8, 8]: pure noise first, then after each of the steps."""
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        captions = self.read([*prompts, ""])
        captions = torch.cat([captions[:-1], captions[-1:].expand(len(prompts), -1)])  # [2B, 384]
        styles = torch.full((len(captions),), style, device=self.device)
        shape = (len(prompts), self.autoencoder.config.latent_channels, 8, 8)
        latents = torch.randn(shape, generator=generator).to(self.device)
        # A scheduler counts its steps, so that two runs at once need one each.
        scheduler = self.scheduler.from_config(self.scheduler.config)
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), device=self.device)
        yield latents
        for timestep, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
            speed = self.velocity(latents, sigma, captions, styles, guidance)
            latents = scheduler.step(speed, timestep, latents).prev_sample
            yield latents

    def read(self, texts: list[str]) -> Tensor:
        """MiniLM's sentence embeddings [B, 384]."""
        return read(texts, self.tokenizer, self.text_encoder)

    def velocity(
        self, latents: Tensor, sigma: Tensor, captions: Tensor, styles: Tensor, guidance: float
    ) -> Tensor:
        """noise - clean [B, 8, 8, 8], the guess pushed away from the one without a caption.

        captions [2B, 384] and styles [2B]: the prompts', then as often the empty prompt's.
        """
        time = (1 - sigma).expand(len(captions))
        both = self.transformer(torch.cat([latents, latents]), time, captions, styles)
        captioned, free = both.chunk(2)
        clean = free + guidance * (captioned - free)
        return (latents - clean) / sigma

    @torch.inference_mode()
    def pictures(self, latents: Tensor) -> list[Image.Image]:
        """Latents [B, 8, 8, 8] as 64x64 pictures, at any stage."""
        values = (self.autoencoder.decode(latents) + 1) * 127.5
        values = values.round().byte().permute(0, 2, 3, 1).cpu().numpy()
        return [Image.fromarray(one) for one in values]


@torch.inference_mode()
def read(
    texts: list[str], tokenizer: PreTrainedTokenizerBase, text_encoder: PreTrainedModel
) -> Tensor:
    """MiniLM's sentence embeddings [B, 384] of length 1: the mean over the words."""
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
    tokens = tokens.to(text_encoder.device)
    words = text_encoder(**tokens).last_hidden_state  # [B, N, 384]
    return F.normalize((words * tokens["attention_mask"][..., None]).sum(1), dim=-1)
