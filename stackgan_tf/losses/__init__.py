"""The paper's equations as code: pure functions of tensors, written in Keras alone, for every Keras backend."""
