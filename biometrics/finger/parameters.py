"""Every number of the matcher and of the search, with its unit and where it comes from.

It computes nothing; what a score means to whoever asked stands in `limits`.

"Sweep": the development sets and five kinds of changed copies of them, one value changed at a
time, kept where all sets and kinds agree (docs/matching.md). Most optima are flat: half or twice
the value moves the errors by less than chance does.
"""

from typing import Final

from biometrics.finger.limits import Limit

# Which minutiae take part.
FAINTEST: Final = Limit(
    value=0.2,
    unit="LEADER score",
    source="sweep 0.2..0.57: each step down lowers the errors of all sets and kinds; under 0.2 the "
    "number of points grows, and with it the time",
)
SURE: Final = Limit(
    value=0.6,
    unit="LEADER score",
    source="from here a minutia counts fully, below in proportion; afis takes all from 0.55",
)
MOST: Final = Limit(
    value=100, unit="points", source="the strongest; 99 % of development prints have fewer; time"
)
FEWEST: Final = Limit(value=4, unit="points", source="three lie alike by chance; pairs need one")

# Surroundings of a minutia.
NEIGHBOURS: Final = Limit(value=10, unit="points", source="sweep 8, 10, 12")
NEIGHBOUR_NEAR: Final = Limit(value=5.0, unit="px at 500 dpi", source="sweep 5, 7, 9: half a ridge")
NEIGHBOUR_FAR: Final = Limit(
    value=0.06, unit="px per px of distance", source="sweep 0.04, 0.06, 0.09: skin stretches"
)
NEIGHBOUR_TURN: Final = Limit(
    value=16.0, unit="1 / (1 - cos)", source="cost 1 at 0.35 rad, three times LEADER's own error"
)
NEIGHBOUR_WORST: Final = Limit(value=9.0, unit="cost", source="three tolerances, squared")

# Candidate pairs and how they support each other (Leordeanu and Hebert 2005).
CANDIDATES: Final = Limit(
    value=80, unit="pairs", source="sweep 80, 120, 160: no better, and time grows with the square"
)
ROUNDS: Final = Limit(value=8, unit="rounds", source="power iteration; the order no longer changes")
HELD: Final = Limit(value=0.3, unit="share", source="of a round's start that is kept: no swinging")
PAIR_NEAR: Final = Limit(value=5.0, unit="px at 500 dpi", source="sweep 4, 5, 7")
PAIR_FAR: Final = Limit(value=0.05, unit="px per px of distance", source="sweep 0.035, 0.05, 0.08")
PAIR_TURN: Final = Limit(value=16.0, unit="1 / (1 - cos)", source="sweep 10, 16, 24")
PAIR_SIGHT: Final = Limit(value=32.0, unit="1 / (1 - cos)", source="sweep 20, 32, 48")
PAIR_WORST: Final = Limit(value=12.0, unit="cost", source="3.5 tolerances, squared")
LEAST: Final = Limit(value=0.02, unit="share of the strongest", source="below it a pair is noise")

# Laying one print over the other.
REACHES: Final = (
    Limit(value=20.0, unit="px at 500 dpi", source="first round; sweep 20, 26: two ridges"),
    Limit(value=16.0, unit="px at 500 dpi", source="second round; sweep 16, 18"),
    Limit(value=14.0, unit="px at 500 dpi", source="last round; sweep 12, 14"),
)
STRETCHED_FROM: Final = Limit(
    value=6, unit="pairs", source="from here skin's stretch is told from noise"
)
SPREAD: Final = Limit(
    value=40.0, unit="px at 500 dpi", source="a stretch is felt so far; sweep 40, 60, 90"
)
WIDEST_TURN: Final = Limit(value=0.7, unit="rad", source="40 degrees: twice GATHERED_TURN and more")
GATHERED_TURN: Final = Limit(
    value=0.3, unit="rad", source="spread of mates' turns, 0.15, with room"
)
KNOWN: Final = Limit(
    value=0.5, unit="grade", source="surroundings of this grade speak for a pair fully"
)
UNKNOWN: Final = Limit(
    value=0.5, unit="share", source="a pair weighs without surroundings; sweep 0.15, 0.3, 0.5"
)

# The score.
LOCAL: Final = Limit(value=4, unit="pairs", source="nearest pairs a pair is held to; sweep 4, 6, 9")
LOCAL_NEAR: Final = Limit(
    value=4.0, unit="px at 500 dpi", source="tighter than PAIR_NEAR: laid over"
)
LOCAL_FAR: Final = Limit(value=0.05, unit="px per px of distance", source="as PAIR_FAR")
LOCAL_TURN: Final = Limit(value=16.0, unit="1 / (1 - cos)", source="as PAIR_TURN")
LOCAL_SIGHT: Final = Limit(value=32.0, unit="1 / (1 - cos)", source="as PAIR_SIGHT")
BORDER: Final = Limit(value=10.0, unit="px at 500 dpi", source="sweep 10, 18: a ridge")
SIDES: Final = Limit(value=16, unit="directions", source="a print's outline as a polygon")
CROWDED: Final = Limit(
    value=1.2,
    unit="power",
    source="of the minutiae that could have met; sweep 1, 1.15, 1.2, 1.3: many meet by chance",
)
UNIT: Final = Limit(
    value=0.55,
    unit="raw score",
    source="the highest of 7552 pairs of strangers of the development sets: their score is 1",
)

# The search's first look.
VECTOR: Final = Limit(
    value=64, unit="numbers", source="96 and 128 find no more (benchmarks/search.py); 8 kB a print"
)
DESCRIBED: Final = Limit(
    value=32, unit="minutiae a print", source="24 lose 2 of 100 mates, 40 cost a third more"
)
WAVE: Final = Limit(
    value=0.7,
    unit="1 / NEIGHBOUR_NEAR",
    source="places 1.4 tolerances apart are half alike",
)
SEEN: Final = Limit(
    value=35.0, unit="px at 500 dpi", source="spread of what a minutia sees; 30..60"
)
MEETING: Final = Limit(
    value=8, unit="minutiae", source="best of a pair of prints that count; 6, 12, 32 tried"
)
COMPARED: Final = Limit(
    value=400, unit="prints", source="compared in earnest: half a second; 200 lose 1 of 100 mates"
)
