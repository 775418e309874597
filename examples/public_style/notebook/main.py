#!/usr/bin/env python
# coding: utf-8

# # Anomaly detection with PCA
#
# Exported from a notebook with `jupyter nbconvert --to script`.

# In[1]:


import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score


# In[2]:


root = Path("/data")
categories = sorted(p.name for p in root.iterdir() if p.is_dir())
categories


# In[3]:


def read(paths):
    return np.stack([np.asarray(Image.open(p).convert("L").resize((64, 64))) / 255.0 for p in paths]).reshape(
        -1, 64 * 64
    )


# In[4]:


rows = []
for category in categories:
    train = read(sorted((root / category / "train" / "good").glob("*.png")))
    paths = sorted((root / category / "test").glob("*/*.png"))
    test = read(paths)
    pca = PCA(n_components=10).fit(train)
    error = np.abs(pca.inverse_transform(pca.transform(test)) - test).max(axis=1)
    rows.append({"category": category, "auc": roc_auc_score([p.parent.name != "good" for p in paths], error)})

df = pd.DataFrame(rows)
df


# In[5]:


df.plot.bar(x="category", y="auc")
plt.show()


# In[6]:


df.describe()


# In[7]:


import json

output = Path(sys.argv[sys.argv.index("--output") + 1])
(output / "metrics.json").write_text(
    json.dumps({"params": {"method": "PCA"}, "metrics": {"image_auc": float(df["auc"].mean())}})
)
