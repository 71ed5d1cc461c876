"""The research synths: made of tensors, batched, differentiable and as simple as the questions asked of them.

Their parameter spaces and priors need NumPy only; PyTorch, which the extra `train` brings, is imported when one of
them renders. `signals` holds the sounds themselves as pure functions of tensors.
"""
