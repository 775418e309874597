"""The door: takes submissions, answers questions, decides nothing that core does not."""
