from sklearn.metrics import roc_auc_score


def auroc(labels, scores):
    return float(roc_auc_score(labels, scores))
