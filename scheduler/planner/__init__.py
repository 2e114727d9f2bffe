"""How many places to open at a station, and at which times: from its own days, by simulation.

It books nobody; what it finds is entered as weekly hours (`applying`).
"""

from scheduler.planner.applying import apply
from scheduler.planner.inputs import Inputs, Opening, Promise, ServiceTimes
from scheduler.planner.patterns import Pattern
from scheduler.planner.search import Plan, plan

__all__ = ["Inputs", "Opening", "Pattern", "Plan", "Promise", "ServiceTimes", "apply", "plan"]
