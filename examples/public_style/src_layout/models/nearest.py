import numpy as np


class NearestNeighbour:
    def __init__(self, size=16):
        self.size = size

    def features(self, images):
        step = images.shape[1] // self.size
        return np.stack([image[::step, ::step].ravel() for image in images])

    def fit(self, images):
        self.bank = self.features(images)
        return self

    def score(self, images):
        return [float(np.abs(self.bank - one).mean(axis=1).min()) for one in self.features(images)]
