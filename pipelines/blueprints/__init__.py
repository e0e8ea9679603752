"""Turn a client's settings into the variables that its SQL models are made of."""
