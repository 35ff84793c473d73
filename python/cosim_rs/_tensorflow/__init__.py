"""Behind `cosim_rs.tensorflow`: arguments, native operations, and TensorFlow's own."""
