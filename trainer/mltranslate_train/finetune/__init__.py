"""Training that starts from the weights of another run or of a pack (`run --from`).

`start.adopt` notes the parent in a run's folder and takes its vocabulary over, `start.apply` puts
its weights into a model and says what learns.
"""
