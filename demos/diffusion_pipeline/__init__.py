"""The image generator: its networks and the pipeline that runs them.

A folder, so that looking for demos does not import torch.
"""
