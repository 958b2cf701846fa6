"""Seq2seq + adaptive GAN: the discriminator counts both the target and the planned pseudo-target as real.

A planner can only reach edits that its operators can express. Therefore two edits are real, the target and the planned
sequence executed on the input, and the discriminator's loss on real edits is the mean of both. This script runs
core/train_seq2seqGAN.py with --adapt, under trials of its own.

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_seq2seqAdaptGAN.py --trial 1
  python core/train_seq2seqAdaptGAN.py --dataset synth --trial 101 --num_iters 600 # a small trial on a CPU
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.options import run_variant

if __name__ == "__main__":
    run_variant(Path(__file__).with_name("train_seq2seqGAN.py"), __doc__, experiment="seq2seqAdaptGAN", adapt=1)
