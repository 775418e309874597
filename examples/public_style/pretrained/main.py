"""Nearest neighbours in the features of a pretrained network."""

import argparse
import json
import os

import timm
import torch
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from tqdm import tqdm

parser = argparse.ArgumentParser()
parser.add_argument("--config", type=str)
parser.add_argument("--output", type=str)
parser.add_argument("--category", type=str, default="weave")
parser.add_argument("--model", type=str, default="tf_efficientnet_lite0")
args = parser.parse_args()

model = timm.create_model(args.model, pretrained=True, num_classes=0).eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))


@torch.no_grad()
def embed(split):
    dataset = ImageFolder(os.path.join("/data", args.category, split), transform)
    features = torch.cat([model(x) for x, _ in tqdm(DataLoader(dataset, batch_size=16))])
    return features, [dataset.classes[y] != "good" for y in dataset.targets]


train, _ = embed("train")
test, labels = embed("test")
distance = torch.cdist(test, train).topk(3, largest=False).values.mean(1)
auc = roc_auc_score(labels, distance.numpy())
print(args.category, auc)

with open(os.path.join(args.output, "metrics.json"), "w") as f:
    json.dump({"params": {"method": args.model}, "metrics": {"image_AUROC": auc}}, f)
