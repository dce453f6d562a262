"""The paper's figures as code: layers and networks, written in Keras alone, for every Keras backend."""
