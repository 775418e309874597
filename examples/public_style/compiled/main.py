"""Convolutional autoencoder with torch.compile; the reconstruction error is the score."""

import argparse
import json
import time
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--output")
parser.add_argument("--category", default="weave")
parser.add_argument("--epochs", type=int, default=15)
args = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)

transform = transforms.Compose([transforms.Grayscale(), transforms.Resize(64), transforms.ToTensor()])
train_set = ImageFolder(f"/data/{args.category}/train", transform)
test_set = ImageFolder(f"/data/{args.category}/test", transform)

model = nn.Sequential(
    nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(),
    nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Sigmoid(),
).to(device)  # fmt: skip
model = torch.compile(model)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

start = time.time()
for epoch in range(args.epochs):
    for x, _ in DataLoader(train_set, batch_size=20, shuffle=True, drop_last=True):
        x = x.to(device)
        loss = nn.functional.mse_loss(model(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.5f}, {time.time() - start:.1f} s")

model.eval()
scores, labels = [], []
with torch.no_grad():
    for x, y in DataLoader(test_set, batch_size=16):
        x = x.to(device)
        scores += (model(x) - x).square().flatten(1).amax(1).tolist()
        labels += [test_set.classes[i] != "good" for i in y]

metrics = {"image_auc": roc_auc_score(labels, scores)}
print(metrics)
Path(args.output).mkdir(exist_ok=True, parents=True)
torch.save(model.state_dict(), "model.pt")
Path(args.output, "metrics.json").write_text(
    json.dumps({"params": {"method": "autoencoder", "epochs": args.epochs}, "metrics": metrics})
)
