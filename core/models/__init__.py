"""Networks: the planner, the critic, image generators and their discriminator, and the encoders that they share."""
