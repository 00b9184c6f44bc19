"""The neural network of the family `cnn_lstm`: how windows are normalised, the network, and how it is trained."""
