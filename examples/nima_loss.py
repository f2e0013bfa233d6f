"""NIMA as a loss: train a small denoiser towards the clean photo, and towards looking good."""

import torch
from skimage import data

import scorers
from enhance.comparison import save_before_after

torch.manual_seed(0)
clean = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None] / 255
noisy = (clean + 0.08 * torch.randn(clean.shape)).clamp(0, 1)
denoise = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(16, 3, 5, padding=2)
)

looks = scorers.NIMALoss(crops=2)  # how far the mean opinion of random crops is from the best
optimiser = torch.optim.Adam(denoise.parameters(), lr=0.005)
for step in range(60):
    restored = (noisy + denoise(noisy)).clamp(0, 1)
    fidelity = (restored - clean).abs().mean()
    loss = fidelity + 0.001 * looks(restored)  # a small weight: alone it rewards what fools NIMA
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 20 == 0:
        print(f"step {step}: mean absolute error {fidelity.item():.4f}")

save_before_after(noisy, restored.detach(), "nima_loss.png")
