"""Configurations: `train.yaml` is where every run starts, the other files hold the experiments, a page a family."""
