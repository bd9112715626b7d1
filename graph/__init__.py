"""The question tree: plans, reading, the support vote, and the state machine over them."""
