"""The research synths' sounds as pure functions of tensors; dtype and device are those of the parameters."""
