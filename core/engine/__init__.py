"""Training runs: command-line options, trials, checkpoints, logs, seeds."""
