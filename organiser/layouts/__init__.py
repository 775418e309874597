"""The layouts that data sets of anomalies come in; each module reads one."""
