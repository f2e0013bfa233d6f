"""NIMA as a loss: train a small denoiser towards the clean photo, and towards looking good."""

import torch
from skimage import data

import scorers
from enhance.comparison import save_before_after

torch.manual_seed(0)
clean = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None] / 255
noisy = (clean + 0.08 * torch.randn(clean.shape)).clamp(0, 1)
both = torch.cat([clean, noisy])
layers = [torch.nn.Conv2d(i, o, 3, padding=1) for i, o in ((3, 24), (24, 24), (24, 3))]
noise_of = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
torch.nn.init.zeros_(layers[2].weight)  # starts by finding no noise
looks = scorers.NIMALoss(crops=1)  # how far the mean opinion is from the best one
optimiser = torch.optim.Adam(noise_of.parameters(), lr=0.003)

for step in range(151):
    top, left = (int(torch.randint(max(1, side - 224), ())) for side in clean.shape[-2:])
    target, given = both[:, :, top : top + 224, left : left + 224].split(1)
    restored = (given - noise_of(given)).clamp(0, 1)
    error = (restored - target).abs().mean()
    loss = error + 0.0005 * looks(restored)  # a small weight: alone it rewards what fools NIMA
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 30 == 0:
        print(f"step {step}: mean absolute error {error.item():.4f}")

with torch.no_grad():
    save_before_after(noisy, (noisy - noise_of(noisy)).clamp(0, 1), "nima_loss.png")
