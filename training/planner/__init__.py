"""How the pointer planner is trained."""
