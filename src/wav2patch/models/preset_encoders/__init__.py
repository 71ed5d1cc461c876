"""From patches to embeddings, without rendering: one half of a neural proxy of a synth.

The encoders of Combes, Weinzierl and Obermayer, "Neural Proxies for Sound Synthesizers" (JAES 73(9), 2025), for every
layout, and what they left out: tokens that are never zero, features that wrap around, and a gradient that reaches every
parameter, as choices enter as one-hots that may be soft.
"""
