"""Statistics of an experiment that randomises users and observes their sessions."""
