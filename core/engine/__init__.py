"""The plumbing of experiments: options, trials, runs, evaluation."""
